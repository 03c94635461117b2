"""The pages of webhooks: who is told of what happens, and how that goes."""
