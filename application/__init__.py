"""The application layer behind every door: command line, HTTP and console ask here."""
