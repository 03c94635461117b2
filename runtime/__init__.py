"""What it takes to run: the worker as it is put together, the runtime behind a command, and whether both are well."""
