"""A project from the first draft of its application to the archive: a module for each stage of its life."""
