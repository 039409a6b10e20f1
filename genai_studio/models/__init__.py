"""What can be run: one family a file, one table of models. Nothing here imports torch at module level."""
