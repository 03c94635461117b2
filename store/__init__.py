"""The event store: the only room that speaks SQL."""
