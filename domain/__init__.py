"""What may happen: pure rules. No clock, no input, no output."""
