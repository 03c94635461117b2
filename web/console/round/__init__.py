"""The page of a round."""
