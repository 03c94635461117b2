"""The vocabulary that every room of the domain is written in."""
