"""What several pages are made of: the skeleton, macros, and the words that they share."""
