"""What a pump remembers when its power is cut."""
