"""What can be wrong with a scenario."""

from mockpump.protocol.errors import MockpumpError


class ScenarioError(MockpumpError):
    """A scenario that cannot be run as it is written."""


class ExpectationFailed(ScenarioError):
    """Something that a scenario expects is not so."""
