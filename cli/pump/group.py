"""`mockpump pump`: make a mock pump, run it, look inside it, make things go wrong in it."""

import click

from mockpump.cli.pump import fault, inspect, new, pair, run


@click.group()
def pump() -> None:
    """Make, run and look into a mock pump.  It is a toy; no real device works like this."""


_COMMANDS = (
    new.new,
    run.run,
    inspect.show,
    inspect.log,
    pair.pair,
    fault.fault,
)
for _command in _COMMANDS:
    pump.add_command(_command)
