"""The cities' rules: what is published, and a file that is looked at before it is."""
