"""`mockpump pump show` and `pump log`: look into the memory of a pump that is not running."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click
from msgspec.structs import asdict, fields

from mockpump.cli.memories import looked_into
from mockpump.cli.pump.render import chain_text, limits_facts, show_log
from mockpump.cli.render import as_json
from mockpump.cli.tables import show_facts
from mockpump.cli.terminal import echo
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.pump.pairing import Pairing
from mockpump.emulator.pump.state import STEP, UNITS_PER_STEP, PumpState, decode_state
from mockpump.emulator.pump.strangers import Strangers
from mockpump.protocol import program as programs
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.log import LOG_ENTRIES, chain
from mockpump.protocol.messages import Alarm
from mockpump.protocol.units import choice_name, clock_time, duration, volume, words_of


@contextlib.contextmanager
def _looking(file: Path) -> Iterator[tuple[SqliteMemory, PumpState]]:
    with contextlib.closing(looked_into(file)) as memory:
        recorded = memory.state()
        if recorded is None:
            raise LocalProtocolError(f"{file} holds no pump yet")
        yield memory, decode_state(recorded)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "json_", is_flag=True, help="Print the whole state as JSON.")
def show(file: Path, json_: bool) -> None:
    """Show what the pump in FILE will wake up with.  It must not be running."""
    with _looking(file) as (memory, state):
        active = b"" if state.active_slot is None else memory.image(state.active_slot)
    if json_:
        d = state.delivery
        delivery = {**asdict(d), "rolling": d.rolling.pieces()}
        guarded = {"image": active, "delivery": delivery, "pairing": _guarded(state.pairing)}
        # A copy that lacks its WAL is none that was put down in good order, whatever it says.
        whole = not memory.lacks_wal
        clean = {"clean": state.clean_shutdown and whole, "whole": whole}
        kept = {each.encode_name: getattr(state, each.name) for each in fields(state)}
        echo(as_json({**kept, **guarded, **clean}))
    else:
        show_facts(_facts(state, active, memory.lacks_wal))


def _guarded(pairing: Pairing) -> dict[str, object]:
    """All there is to say of a pairing but its keys."""
    return {
        "paired": bool(pairing.clinician),
        "open": pairing.is_open,
        "failures": pairing.failures,
        "locked": pairing.locked,
    }


def _facts(state: PumpState, active: bytes, lacks_wal: bool) -> dict[str, str]:
    d = state.delivery
    moved = d.due // UNITS_PER_STEP * STEP
    named = f'"{programs.from_image(active).name}"' if active else "none"
    shown = ", ".join(choice_name(Alarm(each)) for each in state.panel.shown)
    return {
        "name": f"{state.identity.name} (fictional), number {state.identity.serial}",
        "mode": state.mode.name.lower(),
        "age": f"{duration(d.elapsed)} of pump time",
        "clock": clock_time(d.clock.shown(d.elapsed)),
        "drift": f"{d.clock.drift} ppm",
        "program": f"{named}, in slot {state.active_slot}",
        "pending": "none" if state.pending_slot is None else f"in slot {state.pending_slot}",
        "delivered": volume(moved),
        "reservoir": volume(d.filling.volume - (moved - d.filling.delivered)),
        "fluid": f"{state.catheter.concentration} du/mL (fictional)",
        "alarms": shown or "none",
        "pairing": _pairing_text(state.pairing),
        **_uncounted(state.strangers),
        **{f"limit: {name}": text for name, text in limits_facts(state.limits).items()},
        "last shutdown": _end_text(state, lacks_wal),
    }


def _end_text(state: PumpState, lacks_wal: bool) -> str:
    if lacks_wal:
        return "not known: copied while it ran; something may be missing"
    return "clean" if state.clean_shutdown else "power lost"


def _pairing_text(pairing: Pairing) -> str:
    if pairing.is_open:
        return "open: it asks nobody for a session"
    if not pairing.clinician:
        return "none: give it keys with `mockpump pump pair`"
    return "locked: it lets nobody prove a key for a minute" if pairing.locked else "paired"


def _uncounted(strangers: Strangers) -> dict[str, str]:
    """What was only counted so far, and goes into the log before whatever is done next."""
    waiting = (f"{words_of(each.kind)}, {each.second:,} times" for each in strangers.waiting)
    text = "; ".join(waiting)
    return {"not yet in the log": text} if text else {}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "json_", is_flag=True, help="Print an entry a line as JSON.")
def log(file: Path, json_: bool) -> None:
    """Print the event log of the pump in FILE, and verify its chain.  It must not be running."""
    with _looking(file) as (memory, _):
        page = memory.log(1, LOG_ENTRIES)
    show_log(page.entries, page.first, json_)
    if chain(page.before, page.entries) != page.newest_chain:
        raise LocalProtocolError(f"the log in {file} does not fit its own chain")
    if not json_:
        echo(chain_text(len(page.entries), page.first), err=True)
