"""`mockpump pump`: make a mock pump, run it, look inside it, make things go wrong in it."""

import click

from mockpump.cli import pump_fault, pump_look, pump_new, pump_run


@click.group()
def pump() -> None:
    """Make, run and look into a mock pump.  It is a toy; no real device works like this."""


for _command in (pump_new.new, pump_run.run, pump_look.show, pump_look.log, pump_fault.fault):
    pump.add_command(_command)
