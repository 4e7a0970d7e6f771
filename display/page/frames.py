"""A frame in words: what it is called, what happened to it, what came of it."""

from collections.abc import Callable
from typing import Literal

from mockpump.display.page import model as page
from mockpump.emulator.trace import explain
from mockpump.emulator.trace.run import Arrival, Run, Transmission
from mockpump.protocol import messages as m
from mockpump.protocol.units import words_of

SHAPES: dict[str, Literal["data", "ack", "control"]] = {"DATA": "data", "ACK": "ack"}
_ENDS: dict[str, Literal["kept", "dropped", "stopped"]] = {
    "rejected": "stopped",
    "incomplete": "stopped",
    "dropped": "dropped",
    "kept": "kept",
}
# What ends a silence before a frame, by its cause.
_WAITS = {
    "timer": "then the {}'s timer expires",
    "keepalive": "then the {} says that it is there",
    "delayed": "then the acknowledgement goes by itself",
}


def name_of(sent: Transmission) -> str:
    """What a frame is called."""
    return {"DATA": sent.message or "DATA", "ACK": "ack", "?": "no frame"}.get(sent.kind, sent.kind)


def label_of(sent: Transmission) -> str:
    """The number that goes with its name."""
    if sent.frame is None or sent.kind not in ("DATA", "ACK"):
        return ""
    return str(sent.frame.seq if sent.kind == "DATA" else sent.frame.ack)


def wait_of(sent: Transmission) -> str:
    """What ends a silence before it."""
    return _WAITS.get(sent.cause.why, "").format(sent.sender)


def fate_of(run: Run, sent: Transmission) -> str:
    """What happened to a frame, and whether the pump has refused what was asked in it."""
    refusals = [run.frame(each).content for each in sent.effects]
    reasons = [words_of(each.reason) for each in refusals if isinstance(each, m.Refused)]
    fate = explain.fate(sent)
    return f"{fate}; the pump refuses it: {reasons[0]}" if reasons else fate


def is_harmed(sent: Transmission) -> bool:
    """Whether it is bad news: it did not arrive as it was sent, or it says no."""
    broken = any(each.flips or each.garbage or not each.is_good for each in sent.arrivals)
    return bool(sent.lost) or broken or isinstance(sent.content, m.Refused)


def trouble_of(sent: Transmission) -> tuple[str, str] | None:
    """What happened to a frame, in full and in a word; None when nothing did."""
    if sent.lost:
        words = explain.FAULT_WORDS[sent.lost]
        return words.replace(" on the line", ""), "lost"
    if sent.arrivals and (found := _trouble_of_arrival(sent.arrivals[0])):
        return found
    if len(sent.arrivals) > 1:
        return "comes twice", "twice"
    if isinstance(sent.content, m.Refused):
        return words_of(sent.content.reason), "no"
    return None


def _trouble_of_arrival(arrival: Arrival) -> tuple[str, str] | None:
    return next((tell(arrival) for fits, tell in _TROUBLES if fits(arrival)), None)


def _damaged(arrival: Arrival) -> tuple[str, str]:
    places = ", ".join(str(each.byte) for each in arrival.flips[:3])
    more = ", ..." * (len(arrival.flips) > 3)
    plural = "s" * (len(arrival.flips) > 1)
    return f"damaged in byte{plural} {places}{more}", "damaged"


def _garbage(arrival: Arrival) -> tuple[str, str]:
    plural = "s" * (arrival.garbage > 1)
    return f"{arrival.garbage} byte{plural} of garbage first", "garbage"


def _fills_a_gap(arrival: Arrival) -> bool:
    return arrival.verdict.word == "delivered" and bool(arrival.verdict.detail)


_Test = Callable[[Arrival], bool]
# What can happen to a frame, the gravest first, and how it is told in full and in a word.
_TROUBLES: tuple[tuple[_Test, Callable[[Arrival], tuple[str, str]]], ...] = (
    (lambda a: bool(a.flips), _damaged),
    (lambda a: not a.is_good and "truncate" in a.faults, lambda _: ("cut short", "cut")),
    (lambda a: not a.is_good, lambda a: (a.verdict.detail, "stopped")),
    (lambda a: bool(a.garbage), _garbage),
    (lambda a: a.verdict.word == "dropped", lambda a: (a.verdict.detail, "dropped")),
    (lambda a: a.verdict.word == "kept", lambda _: ("kept: too early", "kept")),
    (lambda a: "reorder" in a.faults, lambda _: ("late: overtaken", "late")),
    (_fills_a_gap, lambda _: ("fills the gap", "fills")),
)


def arrival_of(arrival: Arrival) -> page.Arrival:
    """How a frame came."""
    return page.Arrival(
        at=arrival.at,
        begins=arrival.begins,
        order=arrival.order,
        end=_ENDS.get(arrival.verdict.word, "taken"),
        words=explain.arrival_words(arrival),
        garbage=arrival.data[: arrival.garbage].hex(),
        flips=[page.Flip(*each, list(each.bits)) for each in arrival.flips],
        is_late="reorder" in arrival.faults,
    )
