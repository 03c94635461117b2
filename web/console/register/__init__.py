"""Lists of files of one kind: rounds, needs, organisations, funds and the other registers."""
