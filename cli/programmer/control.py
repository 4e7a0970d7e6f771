"""`mockpump programmer`: the commands that change what the pump does."""

from collections.abc import Callable, Mapping
from functools import partial

import click
import msgspec

from mockpump.cli.programmer.recovery import (
    change_pump,
    changing,
    recovering,
)
from mockpump.cli.programmer.session import (
    Options,
    ask_pump,
    connected,
    run_pump,
    say,
    show,
)
from mockpump.cli.pump.render import limits_facts, show_alarms, shown_alarms
from mockpump.cli.quantities import Amount, Duration
from mockpump.cli.render import as_json
from mockpump.cli.signals import telling
from mockpump.cli.terminal import complain, echo
from mockpump.emulator.programmer.bridging import Bridge, read_bridge
from mockpump.emulator.programmer.errors import ProgrammerError
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.transports.drawing import transaction
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol import messages as m
from mockpump.protocol.units import (
    CONCENTRATION,
    PERCENTAGE,
    RATE,
    VOLUME,
    choice_name,
    duration,
    rate,
    volume,
)

_RAMP_MOVES = {choice_name(move): move for move in m.RampMove}
_ALARMS = {choice_name(alarm): alarm for alarm in m.Alarm}
_BOLUS = Amount(VOLUME, minimum=1, maximum=m.MAX_BOLUS)


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


@click.command(short_help="Give a volume on top of the program, or cancel it.")
@click.argument("amount", metavar="[VOLUME]", type=_BOLUS, required=False)
@click.option(
    "--over",
    type=Duration(m.LONGEST_BOLUS),
    default="30m",
    show_default=True,
    help="Take so long to give it; at most 1d.",
)
@click.option("--prime", is_flag=True, help="Log it as one that fills the catheter.")
@click.option("--cancel", is_flag=True, help="End the bolus that runs.")
@click.pass_obj
def bolus(options: Options, amount: int | None, over: int, prime: bool, cancel: bool) -> None:
    """Give VOLUME on top of the program, or cancel what is being given.

    \b
    mockpump programmer bolus 50uL --over 1h
    mockpump programmer bolus 50_000 --over 1h30m     (a plain number is nL)
    mockpump programmer bolus --cancel
    """
    if cancel == (amount is not None):
        raise click.UsageError("say how much, as in 20uL, or --cancel")
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


@click.command(short_help="Scale the program's rates for a while.")
@click.argument("percent", type=Amount(PERCENTAGE, maximum=m.MAX_TEMPORARY), required=False)
@click.option(
    "--for",
    "span",
    type=Duration(m.LONGEST_TEMPORARY),
    default="1h",
    show_default=True,
    help="How long; at most 7d.",
)
@click.option("--cancel", is_flag=True, help="Follow the program's own rates again.")
@click.pass_obj
def temp(options: Options, percent: int | None, span: int, cancel: bool) -> None:
    """Scale the program's rates to PERCENT for a while, or stop doing that.

    \b
    mockpump programmer temp 150% --for 2h
    mockpump programmer temp --cancel
    """
    if cancel == (percent is not None):
        raise click.UsageError("say how many percent, as in 150%, or --cancel")
    if percent is None:
        ended: m.TemporaryCancelled = change_pump(options, m.CancelTemporary(transaction()))
        say(options, ended, "temporary rate cancelled; the program's own rates rule")
        return
    done: m.TemporarySet = change_pump(options, m.SetTemporary(transaction(), percent, span))
    say(options, done, f"{percent} % of the program until {duration(done.ends)} of pump time")


@click.command(short_help="Fill the reservoir, in place of what is in it.")
@click.argument("amount", metavar="VOLUME", type=Amount(VOLUME))
@click.option(
    "--concentration",
    type=Amount(CONCENTRATION, 1, 2**16 - 1),
    help="Of the new fluid, in fictional du/mL; as before unless told otherwise.",
)
@click.pass_obj
def refill(options: Options, amount: int, concentration: int | None) -> None:
    """Fill the reservoir with VOLUME, such as 10mL, in place of what is in it.

    Says how long what is in the catheter still comes out before it.
    """
    bridges: list[Bridge | None] = []
    with recovering(options) as recovery, changing(), connected(options) as session:
        recovery.reply = session.device.run(_refilled(amount, concentration))
        bridges.append(_bridge(recovery.reply, session.device.run))
    done: m.Refilled = recovery.reply
    (bridge,) = bridges or [_bridge(done, partial(run_pump, options))]
    text = f"filled with {volume(amount)} of {done.new} du/mL (fictional)"
    result = {**msgspec.structs.asdict(done), "bridging": bridge and bridge.seconds}
    say(options, result, text if bridge is None else f"{text}\n{_bridge_text(done, bridge)}")


def _refilled(amount: int, concentration: int | None) -> Procedure[m.Refilled]:
    if concentration is None:
        details: m.Details = yield m.GetDetails()
        concentration = details.concentration
    done: m.Refilled = yield m.Refill(transaction(), amount, concentration)
    return done


def _bridge(done: m.Refilled, run: Callable[[Procedure[Bridge]], Bridge]) -> Bridge | None:
    """None when it cannot be learned: that must not hide that the reservoir is filled."""
    try:
        with telling("the reservoir is filled"):
            return run(read_bridge(done))
    except (ProgrammerError, PortError) as error:
        complain(f"how long it takes to arrive is not known: {error}")
        return None


def _bridge_text(done: m.Refilled, bridge: Bridge) -> str:
    if not done.dead:
        return f"{done.new} du/mL is what comes out of the catheter already"
    if bridge.seconds is None:
        return "as the pump stands, the new fluid will not arrive"
    span = f"{duration(bridge.seconds)} of pump time"
    return (
        f"what is in the catheter comes out first: {volume(done.dead)}, {span}\n"
        f"by the program alone, before the {done.new} du/mL arrive;\n"
        "a bolus or a temporary rate changes that"
    )


@click.command(short_help="Hold the ramp, let it go on, or go back a step.")
@click.argument("move", type=click.Choice(list(_RAMP_MOVES)), required=False)
@click.pass_obj
def ramp(options: Options, move: str | None) -> None:
    """Hold the ramp at its present step, let it go on, or go back a step; or say where it is."""
    if move is None:
        stands: m.RampMoved = run_pump(options, _where_the_ramp_stands())
        say(options, stands, _ramp_text(stands))
        return
    done: m.RampMoved = change_pump(options, m.MoveRamp(transaction(), _RAMP_MOVES[move]))
    say(options, done, _ramp_text(done))


def _where_the_ramp_stands() -> Procedure[m.RampMoved]:
    status: m.Status = yield m.GetStatus()
    details: m.Details = yield m.GetDetails()
    return m.RampMoved(status.percent, details.ramp)


def _ramp_text(stands: m.RampMoved) -> str:
    state = "held" if stands.state is m.RampState.HELD else "following the calendar"
    return f"the ramp stands at {stands.percent} %, {state}"


@click.command()
@click.option("--rate", type=Amount(RATE), help="Highest rate of all together, such as 200uL/h.")
@click.option(
    "--bolus", type=Amount(VOLUME, maximum=m.MAX_BOLUS), help="Largest bolus, such as 50uL."
)
@click.option("--daily", type=Amount(VOLUME), help="Most within any 24 h, such as 1.5mL.")
@click.option(
    "--rise",
    metavar="PERCENT",
    type=Amount(PERCENTAGE, maximum=m.NO_RISE_LIMIT),
    help=f"Largest rise between programs or ramp steps; {m.NO_RISE_LIMIT}: any.",
)
@click.pass_obj
def limits(
    options: Options, rate: int | None, bolus: int | None, daily: int | None, rise: int | None
) -> None:
    """Show the pump's limits, or set some of them."""
    given = {"rate": rate, "bolus": bolus, "daily": daily, "rise": rise}
    wanted = {name: value for name, value in given.items() if value is not None}
    if wanted:
        done: m.LimitsSet = change_pump(options, _limits_set(wanted))
        held = m.Limits(*msgspec.structs.astuple(done))
    else:
        held = ask_pump(options, m.GetLimits())
    show(options, held, limits_facts(held))


def _limits_set(wanted: Mapping[str, int]) -> Procedure[m.LimitsSet]:
    """Those that are not wanted otherwise stay as this very pump holds them."""
    held: m.Limits = yield m.GetLimits()
    whole = {**msgspec.structs.asdict(held), **wanted}
    done: m.LimitsSet = yield m.SetLimits(transaction(), **whole)
    return done


@click.command()
@click.option(
    "--acknowledge",
    metavar="NAME",
    type=click.Choice(list(_ALARMS)),
    help=f"Say that somebody has seen this one: {', '.join(_ALARMS)}.",
)
@click.pass_obj
def alarms(options: Options, acknowledge: str | None) -> None:
    """Show the alarms, or acknowledge one.

    An alarm is shown while its cause is there or nobody has acknowledged it.
    """
    if acknowledge is not None:
        request = m.AcknowledgeAlarm(transaction(), _ALARMS[acknowledge])
        done: m.AlarmAcknowledged = change_pump(options, request)
        mode = "in fault" if done.mode is m.Mode.FAULT else done.mode.name.lower()
        say(options, done, f"{acknowledge} acknowledged; the pump is {mode}")
        return
    shown: m.Alarms = ask_pump(options, m.GetAlarms())
    if options.json:
        rows = [msgspec.structs.asdict(each) for each in shown_alarms(shown)]
        echo(as_json({"priority": shown.priority, "alarms": rows}))
    else:
        show_alarms(shown)


COMMANDS = (suspend, resume, bolus, temp, refill, ramp, limits, alarms)
