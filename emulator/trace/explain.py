"""Why: the chain of causes of a frame, back to a command or to a fault of the line, in words.

Each link of the chain is a `Reason`: a sentence, and the frame that it speaks of.  The chain goes
back along `Cause`; where a frame went again it turns to what happened to the transmission before,
or of its acknowledgement, because that is what the sender did not know.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mockpump.emulator.trace.format import PUMP
from mockpump.emulator.trace.run import Arrival, Run, Transmission
from mockpump.protocol.framing import Frame
from mockpump.protocol.link.arq import SACK_BITS, ahead
from mockpump.protocol.units import microseconds

# A chain is cut here: further back it only tells how the session came so far.
_LONGEST = 12


class Reason(NamedTuple):
    """One link of the chain; `frame` is the number of the frame that it speaks of, 0 for none."""

    text: str
    frame: int = 0


# What the line does to bytes, as a reader would say it.
FAULT_WORDS = {
    "loss": "lost on the line",
    "outage": "lost in an outage of the line",
    "cut": "lost: the line is cut",
    "overflow": "lost: too much was on the line",
    "scenario": "lost, as the scenario wants it",
    "drop": "lost on purpose",
    "ber": "damaged",
    "burst": "damaged by a burst",
    "flip": "damaged on purpose",
    "truncate": "cut short",
    "duplicate": "duplicated",
    "reorder": "overtaken",
    "garbage": "garbage in front of it",
}


def sides(run: Run, frame: Transmission) -> str:
    """Who sends a frame to whom."""
    return f"{frame.sender} -> {frame.receiver}"


def fate(frame: Transmission) -> str:
    """What happened to a transmission, in a few words."""
    if frame.lost:
        return FAULT_WORDS[frame.lost]
    if not frame.arrivals:
        return "still under way" if frame.is_arrival_known else "sent; its arrival was not recorded"
    return "; ".join(arrival_words(each) for each in frame.arrivals)


def arrival_words(arrival: Arrival) -> str:
    """What happened to it when it arrived."""
    word, detail = arrival.verdict
    harm = [f"damaged ({damage_words(arrival)})"] if arrival.flips else []
    if "truncate" in arrival.faults:
        harm.append("cut short")
    if arrival.garbage and arrival.is_good:
        plural = "s" * (arrival.garbage > 1)
        harm.append(f"preceded by {arrival.garbage} byte{plural} of garbage")
    if word == "rejected":
        return f"{', '.join(harm) or 'not as it was sent'} and stopped: {detail}"
    what = {
        "dropped": f"dropped: {detail}",
        "closed": f"closes the connection: {detail}",
        "opened": f"opens the connection {detail}".rstrip(),
        "kept": "kept until what is missing before it arrives",
        "delivered": f"delivered {detail}".rstrip(),
        "taken": "taken",
        "heard": "heard",
        "incomplete": detail,
    }[word]
    return f"{', '.join(harm)}, but {what}" if harm else what


def damage_words(arrival: Arrival) -> str:
    """Which bits of it were flipped."""
    first = arrival.flips[0]
    bits = ", ".join(map(str, first.bits))
    one = f"bit{'s' * (len(first.bits) > 1)} {bits} of byte {first.byte} flipped"
    more = len(arrival.flips) - 1
    return f"{one}, and {more} more byte{'s' * (more > 1)} damaged" if more else one


def why(run: Run, number: int) -> list[Reason]:
    """The chain of causes of a frame, itself first; `KeyError` when there is no such frame."""
    frame = run.frame(number)
    chain = [Reason(f"{sides(run, frame)} {_title(frame)}: {fate(frame)}", number)]
    for reason in _chain(run, frame):
        if len(chain) == _LONGEST:
            chain.append(Reason("and so on, back to the first frame"))
            break
        chain.append(reason)
    return chain


def answer(run: Run, number: int) -> str:
    """Why a frame was sent, in a sentence: what the first links of its chain say of it."""
    frame = run.frame(number)
    told = ", ".join(reason.text for reason in _reasons(run, frame))
    return f"{_title(frame)}: {told}"


def _reasons(run: Run, frame: Transmission) -> list[Reason]:
    return _AGAIN.get(frame.cause.why, _plain)(run, frame)


def _title(frame: Transmission) -> str:
    return frame.name if frame.count == 1 else f"{frame.name}, transmission {frame.count}"


def _chain(run: Run, frame: Transmission) -> Iterator[Reason]:
    seen = {frame.number}
    while True:
        found = _reasons(run, frame)
        yield from found
        back = next((each.frame for each in reversed(found) if each.frame), 0)
        if not back or back in seen:
            return
        seen.add(back)
        frame = run.frame(back)
        if frame.cause.why not in _GOES_ON:
            return


# Along these causes a chain goes further back; elsewhere it has come to its beginning.
_GOES_ON = ("timer", "gap", "repeat", "at once", "answer", "next", "room", "delayed")


def _after_timer(run: Run, frame: Transmission) -> list[Reason]:
    before = run.frame(frame.cause.frame)
    waited = frame.at - before.at
    timer = run.expiry(frame.sender, frame.at)
    timeout = waited if timer is None else timer.timeout
    reasons = [
        Reason(f"resent, because the {frame.sender}'s timer of {microseconds(timeout)} expired"),
        Reason(
            f"because nothing acknowledged {before.name} ({waited_words(waited)})", before.number
        ),
    ]
    return [*reasons, *_unheard(run, before, frame)]


def waited_words(waited: int) -> str:
    """How long a sender has waited."""
    return f"{microseconds(waited)} after it was sent"


def _unheard(run: Run, before: Transmission, again: Transmission) -> list[Reason]:
    """Why the sender has heard nothing of a transmission by the time it went again."""
    if not any(each.is_good for each in before.arrivals):
        return [Reason(f"because it was {fate(before)}", before.number)]
    came = min(each.at for each in before.arrivals if each.is_good)
    told = [
        frame
        for frame in run.sent_between(came, again.at)
        if frame.sender == before.receiver and acknowledges(frame, before)
    ]
    if not told:
        return [Reason("it had arrived, and its acknowledgement was not sent yet", before.number)]
    reasons = [Reason(f"it had arrived: {fate(before)}", before.number)]
    late = [each for each in told if any(arrival.at > again.at for arrival in each.arrivals)]
    for each in told:
        words = "still under way" if each in late else fate(each)
        reasons.append(Reason(f"but {each.name}, which acknowledged it, was {words}", each.number))
    return reasons


def acknowledges(frame: Transmission, other: Transmission) -> bool:
    """Whether a frame says that another one is there."""
    if not (isinstance(frame.frame, Frame) and isinstance(other.frame, Frame)):
        return False
    if frame.frame.connection != other.frame.connection or other.kind != "DATA":
        return other.kind in ("OPEN", "CLOSE") and frame.kind in ("OPEN_ACK", "CLOSE")
    place = ahead(other.frame.seq, frame.frame.ack) - 1
    return place >= 127 or (0 <= place < SACK_BITS and bool(frame.frame.sack >> place & 1))


def _after_gap(run: Run, frame: Transmission) -> list[Reason]:
    came = run.frame(frame.cause.frame)
    earlier = [each for each in run.transmissions(frame) if each.number < frame.number]
    before = earlier[-1] if earlier else frame
    return [
        Reason(
            f"resent at once, because {came.name} said that what was sent later is there",
            came.number,
        ),
        Reason(f"{before.name} was {fate(before)}", before.number),
    ]


def _plain(run: Run, frame: Transmission) -> list[Reason]:
    cause = frame.cause
    words = _WORDS[cause.why]
    if cause.frame:
        return [Reason(words(run.frame(cause.frame).name), cause.frame)]
    return [Reason(words(_doing(run, cause.doing)))]


def _doing(run: Run, number: int) -> str:
    """A doing with what it is a part of, the outermost first."""
    names: list[str] = []
    while number:
        doing = next((each for each in run.doings if each.number == number), None)
        if doing is None:
            break
        names.insert(0, f"{doing.kind} {doing.name}")
        number = doing.inside
    return ", ".join(names) or "something that is not in the trace"


_AGAIN: dict[str, Callable[[Run, Transmission], list[Reason]]] = {
    "timer": _after_timer,
    "gap": _after_gap,
}
_WORDS: dict[str, Callable[[str], str]] = {
    "asked": lambda what: f"asked for by: {what}",
    "next": lambda what: f"sent next, after {what} arrived",
    "answer": lambda what: f"answers {what}",
    "report": lambda _: f"the {PUMP} reports by itself",
    "room": lambda what: f"waited for room in the window, which {what} made",
    "repeat": lambda what: f"said again, because {what} came again",
    "at once": lambda what: f"acknowledges {what} at once",
    "delayed": lambda what: f"acknowledges {what}, after waiting for a frame to ride on",
    "keepalive": lambda _: "keeps the connection alive: nothing else was sent for 5 s",
    "close": lambda what: f"ends the connection, because of: {what}",
    "stray": lambda what: f"{what} belongs to no connection that is open",
    "attack": lambda _: "put on the line by somebody else",
    "rival": lambda _: "sent by a second programmer",
    "unknown": lambda _: "the trace does not tell why",
}
