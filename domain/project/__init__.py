"""A project from the first draft of its application to the archive: a room for each stage of its life."""
