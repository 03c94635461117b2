"""Temporal's activities, and nothing else: what workflows call to touch the world."""
