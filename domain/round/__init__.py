"""A round from the solicitation of needs to the resolution: a module for each stage."""
