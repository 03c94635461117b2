"""So be it: read, decide, append."""
