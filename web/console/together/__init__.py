"""Several tasks of one kind, decided on one page."""
