"""The first version of the JSON interface: a file a resource."""
