"""The page that shows a run: what it is told, and the file that it is."""
