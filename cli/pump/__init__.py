"""`mockpump pump`."""
