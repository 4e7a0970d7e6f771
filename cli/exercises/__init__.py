"""`mockpump exercises`."""
