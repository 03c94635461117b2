"""A file of any kind: where it stands, who is awaited, what can be done, money, documents and the story."""
