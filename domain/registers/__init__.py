"""Streams that many projects cite: schemes, calendars, funds, organisations, bases, panels and realms."""
