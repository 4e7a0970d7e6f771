"""`mockpump wire`."""
