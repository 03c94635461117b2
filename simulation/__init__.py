"""Years of rounds that never were, made up: projects, money and troubles as many as a city has."""
