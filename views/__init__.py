"""Pure folds of the log into rows for people and services to read: no clock, no I/O. What is here can be made again."""
