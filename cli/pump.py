"""`mockpump pump`: make a mock pump, run it, look inside it, make things go wrong in it."""

import click

from mockpump.cli import pump_fault, pump_look, pump_new, pump_pair, pump_run


@click.group()
def pump() -> None:
    """Make, run and look into a mock pump.  It is a toy; no real device works like this."""


_COMMANDS = (
    pump_new.new,
    pump_run.run,
    pump_look.show,
    pump_look.log,
    pump_pair.pair,
    pump_fault.fault,
)
for _command in _COMMANDS:
    pump.add_command(_command)
