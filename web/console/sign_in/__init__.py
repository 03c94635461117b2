"""Coming in, leaving, and what one chooses: seat and language."""
