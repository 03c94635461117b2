"""The page of the workers' builds, for administrators."""
