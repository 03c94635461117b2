"""From a stream and an order to a decision and its append. Knows no Temporal."""
