"""The command line of whoever is elsewhere: it asks a server over HTTP, under their own login, and loads no rule."""
