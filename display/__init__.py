"""Drawings of a run: the ladder in a terminal, and one page that shows everything."""
