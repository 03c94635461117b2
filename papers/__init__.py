"""Papers of the office: what they say is described once, and written as DOCX to be stamped and as PDF for the file."""
