"""The link in tables: its states, what can happen, what it does then, and its timers.

All of it is read from `mockpump.protocol.link.states` and `link_settings`; nothing is said twice.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

from mockpump.protocol.fields import Integer, fields_of
from mockpump.protocol.link.arq import REACH, REORDERING, SACK_BITS
from mockpump.protocol.link.link import REMEMBERED_CONNECTIONS
from mockpump.protocol.link.states import TRANSITIONS, Action, Input, State
from mockpump.protocol.link.types import (
    MAX_WINDOW,
    MIN_PAYLOAD,
    CloseReason,
    DropReason,
    LinkSettings,
)
from mockpump.protocol.markdown import code, fenced, members, table


def transitions() -> str:
    """What happens down the side, states across, an action in each cell."""
    head = ["what happens", *(state.name for state in State)]
    rows = ([code(event.name), *(_cell(state, event) for state in State)] for event in Input)
    return table(head, rows)


def _cell(state: State, event: Input) -> str:
    action, following, reason = TRANSITIONS[state][event]
    done = action.name if reason is None else f"{action.name} ({reason.name})"
    return done if following is state else f"{done} → **{following.name}**"


def state_diagram() -> str:
    """The transitions that lead from one state to another, for Mermaid."""
    return fenced("\n".join(_mermaid()), "mermaid")


def _mermaid() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield "    [*] --> IDLE"
    arrows: dict[tuple[State, State, Action], list[str]] = defaultdict(list)
    for state, row in TRANSITIONS.items():
        for event, (action, following, _) in row.items():
            if following is not state:
                arrows[state, following, action].append(event.name)
    for (state, following, action), events in arrows.items():
        yield f"    {state.name} --> {following.name}: {', '.join(events)} / {action.name}"


def settings() -> str:
    """Every size and timer of the link, with its default."""
    head = ["setting", "default", "unit", "range", "what it is"]
    return table(head, _settings())


def _settings() -> Iterator[list[str]]:
    defaults = LinkSettings()
    for name, declaration in fields_of(LinkSettings):
        assert isinstance(declaration, Integer)
        value: int = getattr(defaults, name)
        shown = f"{value:,}{_in_seconds(value) if declaration.unit == 'us' else ''}"
        yield [code(name), shown, declaration.unit, declaration.rule, declaration.doc]


def _in_seconds(microseconds: int) -> str:
    seconds, rest = divmod(microseconds, 1_000_000)
    return f" ({seconds} s)" if not rest else f" ({microseconds / 1_000:g} ms)"


def limits() -> str:
    """The link's constants, which are not negotiable."""
    rows = [
        ("smallest payload that may be offered", f"{MIN_PAYLOAD} bytes"),
        ("largest window that may be offered", f"{MAX_WINDOW} frames"),
        ("sequence numbers", "0..255, then 0 again"),
        ("reach: how far ahead of the oldest missing frame others are kept", f"{REACH} numbers"),
        ("frames that `sack` can name", SACK_BITS),
        ("later transmissions that prove a loss", REORDERING),
        ("connection ids that an acceptor remembers", REMEMBERED_CONNECTIONS),
    ]
    return table(["constant", "value"], rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "link-states": lambda: members(State),
    "link-inputs": lambda: members(Input, "what happens"),
    "link-actions": lambda: members(Action, "what is done"),
    "link-transitions": transitions,
    "link-diagram": state_diagram,
    "link-settings": settings,
    "link-limits": limits,
    "drop-reasons": lambda: members(DropReason),
    "close-reasons": lambda: members(CloseReason),
}
