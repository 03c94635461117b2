"""公文: the papers that a file yields, to be taken away."""
