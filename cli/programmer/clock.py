"""`mockpump programmer clock`: read the pump's clock, or set it."""

import sys

import click
from msgspec.structs import asdict

from mockpump.cli.main import EXIT_REFUSED, fail
from mockpump.cli.programmer.recovery import changing, recovering
from mockpump.cli.programmer.session import (
    Options,
    Session,
    ask_pump,
    connected,
    run_pump,
    say,
)
from mockpump.cli.quantities import ClockDate
from mockpump.cli.signals import telling
from mockpump.cli.terminal import complain, echo
from mockpump.emulator.programmer.errors import ProgrammerError
from mockpump.emulator.programmer.preview import (
    FIRST_TO_LAST,
    ClockPlan,
    Crossed,
    WeekTime,
    plan_clock,
    read_crossed,
)
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.transports.drawing import transaction
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol import messages as m
from mockpump.protocol.units import clock_time


@click.command()
@click.option(
    "--set",
    "wanted",
    type=ClockDate(),
    help="Set it to the nearest such time, such as 'Mon 07:30'; or to 'Mon 07:30, week 2'.",
)
@click.option("--yes", is_flag=True, help="Do not ask, whatever the setting crosses.")
@click.pass_obj
def clock(options: Options, wanted: WeekTime | None, yes: bool) -> None:
    """Read the pump's clock, or set it.

    A time without a week is the nearest one: at most half a week back or ahead, and ahead if both
    are as far.  Nothing is delivered twice or skipped: the schedule follows the new time.  So do a
    ramp and a pending program: what of them is crossed is said; a person at a terminal is asked
    first, unless with --yes or --json.
    """
    if wanted is None:
        shown: m.Clock = ask_pump(options, m.GetClock())
        say(options, shown, clock_time(shown.clock))
        return
    asks = not yes and not options.json and sys.stdin.isatty()
    agreed = _agreed(options, wanted) if asks else None
    plan = crossed = None
    with recovering(options) as recovery, changing(), connected(options) as session:
        plan = session.device.run(plan_clock(wanted))
        _check_settable(plan)
        if agreed is not None:
            _hold_to(agreed, plan)
        recovery.reply = session.device.run(ask(m.SetClock(transaction(), plan.target)))
        crossed = _crossed(session, plan)
    _tell(options, recovery.reply, plan, crossed)


def _agreed(options: Options, wanted: WeekTime) -> ClockPlan:
    """What the setting may cross, and that somebody wants it."""
    with changing():
        plan: ClockPlan = run_pump(options, plan_clock(wanted))
    _check_settable(plan)
    if plan.crosses:
        echo(f"to {clock_time(plan.target)}: {_may_cross(plan)}")
        if not click.confirm("Set the clock?", err=True):
            fail("not confirmed; nothing was changed", EXIT_REFUSED)
    return plan


def _check_settable(plan: ClockPlan) -> None:
    if plan.target < FIRST_TO_LAST.start:
        raise click.UsageError(
            "the nearest such time is before the clock's first week; nothing was changed.  "
            "Name the week that is meant, such as 'Sun 23:50, week 0'"
        )
    if plan.target not in FIRST_TO_LAST:
        last = clock_time(FIRST_TO_LAST.stop - 1)
        raise click.UsageError(f"a clock can be set up to {last}; nothing was changed")


def _may_cross(plan: ClockPlan) -> str:
    parts = []
    if plan.percents != (plan.percent,):
        steps = " or ".join(f"{each} %" for each in plan.percents)
        parts.append(f"the ramp stands at {plan.percent} %, and will stand at {steps}")
    if plan.pending is not None:
        parts.append(f'the pending program "{plan.pending}" may take over')
    return "; ".join(parts)


def _hold_to(agreed: ClockPlan, plan: ClockPlan) -> None:
    """The line was closed while somebody thought: what they agreed to must still be so."""
    if (plan.percents, plan.pending) != (agreed.percents, agreed.pending):
        fail("the pump has changed meanwhile: ask again; nothing was changed", EXIT_REFUSED)


def _crossed(session: Session, plan: ClockPlan) -> Crossed | None:
    """None when it cannot be learned: that must not hide that the clock is set."""
    if not plan.crosses:
        return None
    try:
        with telling("the clock is set"):
            crossed: Crossed = session.device.run(read_crossed(plan))
    except (ProgrammerError, PortError) as error:
        complain(f"the clock is set; what it crossed is not known: {error}")
        return None
    return crossed


def _tell(
    options: Options, done: m.ClockSet, plan: ClockPlan | None, crossed: Crossed | None
) -> None:
    lines = [f"clock set from {clock_time(done.before)} to {clock_time(done.clock)}"]
    more: dict[str, object] = {"percent": None, "program": None}
    if plan is not None and crossed is not None:
        if crossed.percent != plan.percent:
            lines.append(f"the ramp went from {plan.percent} % to {crossed.percent} %")
            more["percent"] = {"before": plan.percent, "after": crossed.percent}
        if crossed.program is not None:
            lines.append(f'the pending program "{crossed.program}" has taken over')
            more["program"] = crossed.program
    elif plan is not None and plan.crosses:
        lines.append(f"it may have crossed: {_may_cross(plan)}")
    say(options, {**asdict(done), **more}, "\n".join(lines))


COMMANDS = (clock,)
