"""The two devices, the line between them, and the doors to the outside."""
