"""Virtual time: both devices and the line between them on one heap of events."""
