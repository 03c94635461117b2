"""審批: what a service has decided by people, and what is bound by any approval in words that people read."""
