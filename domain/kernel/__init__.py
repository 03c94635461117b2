"""The vocabulary that every part of the domain is written in."""
