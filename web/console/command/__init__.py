"""Giving a command: its form, its check page, its receipt; all made from the command's own model."""
