"""What an auditor asks: was anything changed, does it follow from the rules, how did it stand on that day."""
