"""The pages of reviewers: what they are to judge, and their own sheets."""
