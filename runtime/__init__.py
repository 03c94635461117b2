"""What it takes to run: the worker as it is put together, the office behind a command, and whether both are well."""
