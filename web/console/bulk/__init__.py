"""Commands from a spreadsheet: filled in at the desk, tried row by row, and carried out after a look."""
