"""A round from the solicitation of needs to the resolution: a room for each stage."""
