"""The cities' rules as data: ``hangzhou.yaml``, ``fuzhou.yaml``, ``changzhou.yaml``, and how such files are read."""
