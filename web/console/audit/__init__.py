"""What auditors do on pages: long runs that report, and who did, tried and read what."""
