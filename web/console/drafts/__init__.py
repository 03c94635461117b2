"""What one has typed and not sent yet."""
