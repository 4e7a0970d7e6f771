"""The pump's part of the reference, generated: its modes, what each allows, and its constants.

Read from the tables that the pump runs by, as `mockpump.reference.protocol` reads the declarations.
"""

from collections.abc import Callable, Iterator

from mockpump.emulator.pump.alarms import ALARMS
from mockpump.emulator.pump.catheter import MOST_FLUIDS
from mockpump.emulator.pump.clock import MAX_DRIFT
from mockpump.emulator.pump.factory import CONCENTRATION, DEAD_VOLUME, FACTORY_PROGRAM
from mockpump.emulator.pump.limits import FACTORY
from mockpump.emulator.pump.modes import MODES, ModeInput
from mockpump.emulator.pump.pairing import LOCKED_FOR, MOST_FAILURES
from mockpump.emulator.pump.pump import CHECKPOINT_EVERY, LAST_SECOND
from mockpump.emulator.pump.requests.dispatch import COMMANDS
from mockpump.emulator.pump.state import RESERVOIR, STEP, UNITS_PER_STEP
from mockpump.emulator.pump.strangers import MOST_BETWEEN
from mockpump.emulator.schedule import CLOCK_CYCLE
from mockpump.protocol import program as programs
from mockpump.protocol.log import LOG_ENTRIES
from mockpump.protocol.messages import OUTCOMES, Mode, entry_of
from mockpump.reference.markdown import code, fenced, table


def modes() -> str:
    """What happens down the side, modes across, the mode that follows in each cell."""
    head = ["what happens", *(mode.name for mode in Mode)]
    rows = ([event.value, *(_following(mode, event) for mode in Mode)] for event in ModeInput)
    return table(head, rows)


def _following(mode: Mode, event: ModeInput) -> str:
    following = MODES[mode].get(event)
    return "" if following is None else following.name


def mode_diagram() -> str:
    """The changes of mode, for Mermaid."""
    return fenced("\n".join(_mermaid()), "mermaid")


def _mermaid() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield "    [*] --> STOPPED"
    for mode, row in MODES.items():
        for event, following in row.items():
            yield f"    {mode.name} --> {following.name}: {event.value}"


def requests() -> str:
    """Requests down the side, modes across: allowed, or refused."""
    head = ["request", *(mode.name for mode in Mode)]
    ordered = sorted(COMMANDS, key=lambda message: entry_of(message).number)
    rows = (
        [code(each.__name__), *(_allowed(mode in COMMANDS[each].modes) for mode in Mode)]
        for each in ordered
    )
    return table(head, rows)


def _allowed(allowed: bool) -> str:
    return "yes" if allowed else "`WRONG_MODE`"


def constants() -> str:
    """What this pump is made of; another may differ where `Identity` says so."""
    (pattern,) = FACTORY_PROGRAM.patterns
    factory = pattern.segments[0].rate
    rows = [
        ("micro-step of the motor (`Identity.step`)", f"{STEP} nL"),
        ("units in a micro-step", f"{UNITS_PER_STEP:,}"),
        ("reservoir when full (`Identity.reservoir`), unless told otherwise", f"{RESERVOIR:,} nL"),
        ("the clock runs from 0 to below", f"{CLOCK_CYCLE:,} s"),
        ("elapsed time ends at", f"{LAST_SECOND:,} s"),
        ("outcomes of transactions remembered", OUTCOMES),
        ("wrong proofs in a row that lock pairing out", MOST_FAILURES),
        ("line time for which it is locked out", f"{LOCKED_FOR} s"),
        ("entries of the event log kept", f"{LOG_ENTRIES:,}"),
        ("entries caused by strangers between two of what was done, at the most", MOST_BETWEEN),
        (
            "pump time between checkpoints, at the most, unless it goes by too fast",
            f"{CHECKPOINT_EVERY} s",
        ),
        ("drift of the clock, at the most", f"{MAX_DRIFT:,} ppm either way"),
        ("fluids on their way through the catheter, at the most", MOST_FLUIDS),
        ("volume of the catheter, unless told otherwise", f"{DEAD_VOLUME:,} nL"),
        ("concentration, unless told otherwise", f"{CONCENTRATION} du/mL"),
        ("highest rate, unless told otherwise", f"{FACTORY.rate:,} nL/h"),
        ("largest bolus, unless told otherwise", f"{FACTORY.bolus:,} nL"),
        ("most within 24 h, unless told otherwise", f"{FACTORY.daily:,} nL"),
        ("largest rise, unless told otherwise", f"{FACTORY.rise} %"),
        (
            f'program it is made with, "{FACTORY_PROGRAM.name}"',
            f'{factory:,} nL/h in one pattern, "{pattern.name}"',
        ),
        ("digest of that program", code(programs.digest(programs.image(FACTORY_PROGRAM)).hex())),
    ]
    return table(["constant", "value"], rows)


def alarms() -> str:
    """The table of alarms."""
    rows = (
        (code(alarm.name), rule.cause, rule.priority.name, "yes" if rule.stops else "", rule.ends)
        for alarm, rule in ALARMS.items()
    )
    return table(["alarm", "cause", "priority", "stops delivery", "what ends the cause"], rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "pump-alarms": alarms,
    "pump-modes": modes,
    "pump-mode-diagram": mode_diagram,
    "pump-requests": requests,
    "pump-constants": constants,
}
