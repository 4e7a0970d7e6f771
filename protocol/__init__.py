"""TIDE/1, the made-up protocol: bytes and rules, no socket, file, clock, thread or random source.

Every quantity is an integer.  Line time (`now`) is in microseconds, pump time in seconds, volume
in nanolitres, rate in nanolitres an hour.  Nothing here models a real device.
"""
