"""One cursor in the log each, under a lease: what must happen though no command asks for it."""
