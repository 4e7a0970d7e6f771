"""What can be wrong with a way to the outside."""

from mockpump.protocol.errors import MockpumpError


class PortError(MockpumpError):
    """A port that does not exist, is busy, cannot be opened, or has gone."""
