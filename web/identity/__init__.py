"""Who comes in: how somebody shows who they are, and what follows from it."""
