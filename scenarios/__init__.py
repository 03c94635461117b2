"""Dated stories that can be played: demos, tests, and a bureau's paper files."""
