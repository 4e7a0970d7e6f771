"""The channel between the two devices: where telemetry goes wrong, by seed."""
