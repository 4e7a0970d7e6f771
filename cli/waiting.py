"""`--wait`: how long a port that is not there yet is waited for, and what is said meanwhile."""

from collections.abc import Callable
from typing import Any

import click

from mockpump.cli.quantities import LineTime
from mockpump.cli.terminal import complain


def wait_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option."""
    return click.option(
        "--wait",
        type=LineTime(),
        default="3s",
        show_default=True,
        envvar="MOCKPUMP_WAIT",
        help="Wait so long for a port that is not there yet; 0: not at all.",
    )(command)


def tell_waiting(patience: int, why: str) -> None:
    """Say that a port is waited for, and how not to."""
    complain(f"{why}; waiting for it, {patience / 1e6:g} s at most (--wait 0 does not)")
