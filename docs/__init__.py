"""Guides, decisions, and the two small modules that write their generated parts."""
