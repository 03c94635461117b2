"""The operator's and the auditor's command line: ``venture <noun> <verb>``."""
