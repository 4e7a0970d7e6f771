"""`mockpump programmer`."""
