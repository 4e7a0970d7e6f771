"""`mockpump programmer`: the commands that change what the pump does."""

import click
import msgspec

from mockpump.cli.programmer_session import (
    Options,
    ask_pump,
    change_pump,
    run_pump,
    say,
    show,
    transaction,
)
from mockpump.cli.quantities import ClockTime, Duration, Volume, clock_time, duration, rate, volume
from mockpump.cli.render_pump import alarm_lines, limits_facts
from mockpump.emulator.programmer.bridging import Bridge, read_bridge
from mockpump.protocol import messages as m

_WEEK = 7 * 86_400
_RAMP_MOVES = {move.name.lower().replace("_", "-"): move for move in m.RampMove}
_ALARMS = {alarm.name.lower().replace("_", "-"): alarm for alarm in m.Alarm}


@click.command()
@click.option("--set", "wanted", type=ClockTime(day=None), help="Set it, such as 'Mon 07:30'.")
@click.pass_obj
def clock(options: Options, wanted: int | None) -> None:
    """Read the pump's clock, or set it.

    Setting it keeps the week.  Nothing is delivered twice or skipped: the schedule follows the new
    time of day.
    """
    now: m.Clock = ask_pump(options, m.GetClock())
    if wanted is None:
        say(options, now, clock_time(now.clock))
        return
    target = now.clock // _WEEK * _WEEK + wanted
    done: m.ClockSet = change_pump(options, m.SetClock(transaction(), target))
    say(options, done, f"clock set from {clock_time(done.before)} to {clock_time(done.clock)}")


@click.command()
@click.pass_obj
def suspend(options: Options) -> None:
    """Suspend delivery; a bolus ends with it."""
    done: m.Suspended = change_pump(options, m.Suspend(transaction()))
    say(options, done, f"delivery suspended at {duration(done.elapsed)} of pump time")


@click.command()
@click.pass_obj
def resume(options: Options) -> None:
    """Resume delivery."""
    done: m.Resumed = change_pump(options, m.Resume(transaction()))
    say(options, done, f"delivery resumed at {duration(done.elapsed)} of pump time")


@click.command()
@click.argument("amount", metavar="VOLUME", type=Volume(), required=False)
@click.option("--over", type=Duration(), default="30m", show_default=True, help="Give it so long.")
@click.option("--prime", is_flag=True, help="Log it as one that fills the catheter.")
@click.option("--cancel", is_flag=True, help="End the bolus that runs.")
@click.pass_obj
def bolus(options: Options, amount: int | None, over: int, prime: bool, cancel: bool) -> None:
    """Give VOLUME nL on top of the program, or cancel what is being given.

    \b
    mockpump programmer bolus 50_000 --over 1h
    mockpump programmer bolus --cancel
    """
    if cancel == (amount is not None):
        raise click.UsageError("say how many nL, or --cancel")
    if amount is None:
        ended: m.BolusCancelled = change_pump(options, m.CancelBolus(transaction()))
        left = f"{volume(ended.given)} given, {volume(ended.left)} not"
        say(options, ended, f"bolus cancelled: {left}")
        return
    kind = m.BolusKind.PRIMING if prime else m.BolusKind.BOLUS
    request = m.StartBolus(transaction(), kind, amount, over)
    done: m.BolusStarted = change_pump(options, request)
    ends = f"ends at {duration(done.ends)} of pump time"
    say(options, done, f"bolus of {volume(amount)} runs, at {rate(done.rate)} more; {ends}")


@click.command()
@click.argument("percent", type=click.IntRange(0, m.MAX_TEMPORARY), required=False)
@click.option("--for", "span", type=Duration(), default="1h", show_default=True, help="How long.")
@click.option("--cancel", is_flag=True, help="Follow the program's own rates again.")
@click.pass_obj
def temp(options: Options, percent: int | None, span: int, cancel: bool) -> None:
    """Scale the program's rates to PERCENT for a while, or stop doing that.

    \b
    mockpump programmer temp 150 --for 2h
    mockpump programmer temp --cancel
    """
    if cancel == (percent is not None):
        raise click.UsageError("say how many percent, or --cancel")
    if percent is None:
        ended: m.TemporaryCancelled = change_pump(options, m.CancelTemporary(transaction()))
        say(options, ended, "temporary rate cancelled; the program's own rates rule")
        return
    done: m.TemporarySet = change_pump(options, m.SetTemporary(transaction(), percent, span))
    say(options, done, f"{percent} % of the program until {duration(done.ends)} of pump time")


@click.command()
@click.argument("amount", metavar="VOLUME", type=Volume())
@click.option(
    "--concentration",
    type=click.IntRange(0, 2**16 - 1),
    help="Of the new fluid, in fictional du/mL; as before unless told otherwise.",
)
@click.pass_obj
def refill(options: Options, amount: int, concentration: int | None) -> None:
    """Fill the reservoir with VOLUME nL, in place of what is in it.

    Says how long the fluid from before still comes out of the catheter.
    """
    if concentration is None:
        details: m.Details = ask_pump(options, m.GetDetails())
        concentration = details.concentration
    request = m.Refill(transaction(), amount, concentration)
    done: m.Refilled = change_pump(options, request)
    bridge: Bridge = run_pump(options, read_bridge(done))
    text = f"filled with {volume(amount)} of {done.new} du/mL (fictional)"
    result = {**msgspec.structs.asdict(done), "bridging": bridge.seconds}
    say(options, result, f"{text}; {_bridge_text(done, bridge)}")


def _bridge_text(done: m.Refilled, bridge: Bridge) -> str:
    if done.old == done.new:
        return "the concentration is as before"
    if bridge.seconds is None:
        return "as the pump stands, the new fluid will not arrive"
    return f"the {done.old} du/mL from before come out for another {duration(bridge.seconds)}"


@click.command()
@click.argument("move", type=click.Choice(list(_RAMP_MOVES)), required=False)
@click.pass_obj
def ramp(options: Options, move: str | None) -> None:
    """Hold the ramp at its present step, let it go on, or go back a step; or say where it is."""
    if move is None:
        status: m.Status = ask_pump(options, m.GetStatus())
        say(options, {"percent": status.percent}, f"the ramp stands at {status.percent} %")
        return
    done: m.RampMoved = change_pump(options, m.MoveRamp(transaction(), _RAMP_MOVES[move]))
    state = "held" if done.state is m.RampState.HELD else "following the calendar"
    say(options, done, f"the ramp stands at {done.percent} %, {state}")


@click.command()
@click.option("--rate", type=click.IntRange(0), help="Highest rate of all together, nL/h.")
@click.option("--bolus", type=Volume(), help="Largest bolus, nL.")
@click.option("--daily", type=Volume(), help="Most within any 24 h, nL.")
@click.option("--rise", type=click.IntRange(0, m.NO_RISE_LIMIT), help="Largest rise, %.")
@click.pass_obj
def limits(
    options: Options, rate: int | None, bolus: int | None, daily: int | None, rise: int | None
) -> None:
    """Show the pump's limits, or set some of them."""
    held: m.Limits = ask_pump(options, m.GetLimits())
    given = {"rate": rate, "bolus": bolus, "daily": daily, "rise": rise}
    wanted = {name: value for name, value in given.items() if value is not None}
    if wanted:
        whole = {**msgspec.structs.asdict(held), **wanted}
        done: m.LimitsSet = change_pump(options, m.SetLimits(transaction(), **whole))
        held = m.Limits(*msgspec.structs.astuple(done))
    show(options, held, limits_facts(held))


@click.command()
@click.option(
    "--acknowledge",
    metavar="NAME",
    type=click.Choice(list(_ALARMS)),
    help="Say that somebody has seen this one.",
)
@click.pass_obj
def alarms(options: Options, acknowledge: str | None) -> None:
    """Show the alarms, or acknowledge one.

    An alarm is shown while its cause is there or nobody has acknowledged it.
    """
    if acknowledge is not None:
        request = m.AcknowledgeAlarm(transaction(), _ALARMS[acknowledge])
        done: m.AlarmAcknowledged = change_pump(options, request)
        say(options, done, f"{acknowledge} acknowledged; the pump is {done.mode.name.lower()}")
        return
    shown: m.Alarms = ask_pump(options, m.GetAlarms())
    if options.json:
        say(options, shown, "")
    else:
        click.echo("\n".join(alarm_lines(shown)))


COMMANDS = (clock, suspend, resume, bolus, temp, refill, ramp, limits, alarms)
