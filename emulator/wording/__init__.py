"""How what the devices count in integers is written for people."""
