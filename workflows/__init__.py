"""When: order, waiting and deadlines. No rules, no records."""
