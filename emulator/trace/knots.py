"""What to look at in a run: knots of frames, found through their causes and told in a few words.

A frame is *troubled* when something happened to it on the line, when it went more than once, or
when it was of no use at once.  Troubled frames are tied together where one led to the other
(`mockpump.emulator.trace.ties`); each such knot is told once.  Two things are told beside these
because they have no troubled frame of their own: a change that was done long before anybody knew,
and somebody else on the line.  Every figure comes from the run.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec

from mockpump.emulator.trace.explain import FAULT_WORDS, acknowledges
from mockpump.emulator.trace.format import RIVAL, SOMEBODY
from mockpump.emulator.trace.run import Change, Knot, Run, Transmission
from mockpump.emulator.trace.ties import Outages, tied
from mockpump.protocol import messages as m
from mockpump.protocol.units import words_of

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# A change that is not known to be done for so long is worth a look, in microseconds.
_LONG_UNKNOWN = 1_000_000
# Weights: what happens to one frame, to several, to a whole run.
_LIGHT, _NOTABLE, _HEAVY, _THE_POINT = 1, 4, 20, 30


def knots_of(run: Run) -> list[Knot]:
    """The knots of a run, numbered in order of time."""
    found = [_told(run, group) for group in tied(run)]
    for special in (_unknown_changes(run), _intruders(run)):
        found = _in_place_of(list(special), found)
    found.sort(key=lambda knot: (knot.starts, knot.frames[0]))
    return [msgspec.structs.replace(knot, number=place) for place, knot in enumerate(found, 1)]


def _in_place_of(specials: list[Knot], found: list[Knot]) -> list[Knot]:
    """These knots, and of those found the ones of which none of these says more."""
    around: dict[int, list[set[int]]] = {}
    for special in specials:
        inside = set(special.frames)
        for number in inside:
            around.setdefault(number, []).append(inside)
    left = [
        knot
        for knot in found
        if not any(each.issuperset(knot.frames) for each in around.get(knot.frames[0], ()))
    ]
    return left + specials


# -- what is told of them ------------------------------------------------------------------------


def _told(run: Run, group: list[Transmission]) -> Knot:
    for fits, tell in _TELLERS:
        if fits(group):
            return tell(run, group)
    return _tell_repeated(run, group)


def _knot(
    group: list[Transmission], focus: Transmission, weight: int, title: str, *text: str
) -> Knot:
    ends = [arrival.at for frame in group for arrival in frame.arrivals]
    return Knot(
        title=title,
        text=" ".join(filter(None, text)),
        frames=tuple(frame.number for frame in group),
        focus=focus.number,
        starts=group[0].at,
        ends=max([*ends, *(frame.at for frame in group)]),
        weight=weight,
    )


def _is_outage(group: list[Transmission]) -> bool:
    return sum(frame.lost == "outage" for frame in group) > 1


def _tell_outage(run: Run, group: list[Transmission]) -> Knot:
    lost = [frame for frame in group if frame.lost == "outage"]
    begin, end = Outages(run).around(lost[0])
    calls = sum(frame.kind == "OPEN" and frame.count == 1 for frame in lost)
    return _knot(
        group,
        lost[0],
        _HEAVY,
        f"Out of range for {seconds(end - begin)}",
        f"{number(len(lost)).capitalize()} frames are sent into it and none arrives.",
        f"The timer waits longer each time: {', '.join(_growing(run, lost))}.",
        f"The programmer gives up and calls anew, {times(calls)}." if calls else "",
    )


def _growing(run: Run, lost: list[Transmission]) -> Iterator[str]:
    """The timeouts of the first frame that went into it again and again, while they grow."""
    again = [frame for frame in lost if frame.first == _most_often(lost)]
    last = 0
    for one, other in pairwise(again):
        if other.at - one.at <= last:
            return
        last = other.at - one.at
        yield seconds(last)


def _most_often(frames: list[Transmission]) -> int:
    return Counter(frame.first for frame in frames).most_common(1)[0][0]


def _is_stray(group: list[Transmission]) -> bool:
    return any(
        arrival.verdict.detail == "of no or another connection"
        for frame in group
        for arrival in frame.arrivals
    )


def _tell_stray(run: Run, group: list[Transmission]) -> Knot:
    frame = group[0]
    return _knot(
        group,
        frame,
        _NOTABLE,
        f"{frame.name} belongs to a connection that is over",
        "The other side does not know that connection any more and says RESET;",
        "the programmer must call again.",
    )


def _is_only_acks(group: list[Transmission]) -> bool:
    return all(frame.kind == "ACK" for frame in group)


def _tell_acks(run: Run, group: list[Transmission]) -> Knot:
    frame = group[0]
    what = "A keep-alive" if frame.cause.why == "keepalive" else "An acknowledgement"
    fault = FAULT_WORDS[frame.faults[0]] if frame.faults else "of no use"
    happened = {
        "garbage in front of it": f"{what} comes behind garbage",
        "duplicated": f"{what} comes twice",
    }.get(fault, f"{what} is {fault}")
    return _knot(group, frame, _LIGHT, happened, "It does no harm: the next one says the same.")


def _is_gap(group: list[Transmission]) -> bool:
    return any(each.verdict.word == "kept" for frame in group for each in frame.arrivals)


def _tell_gap(run: Run, group: list[Transmission]) -> Knot:
    kept = [f for f in group if any(each.verdict.word == "kept" for each in f.arrivals)]
    missing = next((f for f in group if f not in kept and f.kind == "DATA"), kept[0])
    fast = [f for f in group if f.cause.why == "gap"]
    how = "lost" if missing.lost else "damaged" if missing.is_damaged else "late"
    verb = "are" if len(kept) > 1 else "is"
    quick = (
        f"{fast[0].name} goes again before any timer expires: each of these was acknowledged at"
        " once, and each time the same number was still missing."
        if fast
        else ""
    )
    return _knot(
        group,
        missing,
        _NOTABLE + len(kept),
        f"{missing.name} is {how}, and {number(len(kept))} behind it {verb} kept",
        f"{number(len(kept)).capitalize()} sent later {verb} there first and {verb} kept.",
        quick,
        "When the gap is filled, all are handed up in order.",
    )


def _is_single(group: list[Transmission]) -> bool:
    return len(group) == 1 and group[0].counts == 1


def _tell_single(run: Run, group: list[Transmission]) -> Knot:
    frame = group[0]
    fault = frame.faults[0] if frame.faults else ""
    if not any(each.is_good for each in frame.arrivals):
        return _tell_gone(run, frame, fault)
    title, text = _SINGLE.get(fault, _DROPPED)
    return _knot(group, frame, _LIGHT, title.format(frame.name), text)


def _tell_gone(run: Run, frame: Transmission, fault: str) -> Knot:
    """A frame that went once and is not there: what came next of its sender, instead."""
    connection = None if frame.frame is None else frame.frame.connection
    later = (
        each
        for each in run.frames[frame.number - run.before :]
        if each.sender == frame.sender and each.kind != "ACK"
    )
    after = next(later, None)
    if after is None:
        follows = f"It is not sent again: the {frame.sender} sends nothing more."
    elif after.frame is not None and after.frame.connection != connection:
        follows = f"It is not sent again: the {frame.sender} goes on in another connection."
    else:
        follows = f"It is not sent again; the {frame.sender} goes on with {after.name}."
    what = FAULT_WORDS.get(fault, "not there as it was sent")
    return _knot([frame], frame, _NOTABLE, f"{frame.name} is {what}", follows)


_DROPPED = ("{} is of no use", "The other side drops it, and nothing else follows from it.")
_SINGLE = {
    "garbage": (
        "Garbage in front of {}",
        "A frame begins with a zero byte, so the receiver starts afresh there: nothing is lost.",
    ),
    "reorder": ("{} is overtaken", "It is kept back by the line and arrives out of turn."),
    "duplicate": (
        "{} comes twice",
        "The second has a number that is here already: dropped, and acknowledged again.",
    ),
    "truncate": ("{} is cut short", "The next delimiter ends what is left of it."),
}


def _tell_repeated(run: Run, group: list[Transmission]) -> Knot:
    """A frame that went several times, and what went with it."""
    data = [frame for frame in group if frame.kind != "ACK"] or group
    main = max(data, key=lambda frame: (frame.counts, -frame.number))
    copies = run.transmissions(main)
    there = next((f for f in copies if any(each.is_good for each in f.arrivals)), None)
    if there is copies[0] and len(copies) > 1:
        return _tell_unheard(run, group, copies)
    harmed = [f for f in copies if f is not there and f.number < (there or copies[-1]).number + 1]
    waits = [seconds(later.at - f.at) for f, later in pairwise(copies)]
    return _knot(
        group,
        harmed[0] if harmed else main,
        2 + len(copies),
        f"{main.name} goes {times(len(copies))}",
        _harm_words(harmed),
        f"Only the {main.sender}'s timer notices: {', '.join(waits)}." if waits else "",
        _when_there(copies, there),
        _dragged_along(data, main),
    )


def _when_there(copies: list[Transmission], there: Transmission | None) -> str:
    if there is not None:
        return f"It is there {seconds(_arrived(there) - copies[0].at)} after it was first sent."
    return "It never arrives." if copies[0].is_arrival_known else "What arrived was not recorded."


def _harm_words(harmed: list[Transmission]) -> str:
    harm = _harm(harmed)
    if not harm:
        return ""
    words = " and ".join(f"{number(count)} {what}" for what, count in harm.items())
    stops = "; the checksum stops what is damaged" if "damaged" in harm else ""
    return f"{words.capitalize()}{stops}, and nobody is told."


def _harm(frames: list[Transmission]) -> dict[str, int]:
    """How many were lost and how many came damaged, as far as any."""
    lost = sum(bool(frame.lost) for frame in frames)
    damaged = sum(any(not each.is_good for each in frame.arrivals) for frame in frames)
    counts = {"lost": lost, "damaged": damaged}
    return {what: count for what, count in counts.items() if count}


def _dragged_along(data: list[Transmission], main: Transmission) -> str:
    others = {f.name for f in data if f.first != main.first and f.counts > 1}
    if not others:
        return ""
    return f"{' and '.join(sorted(others))} went again meanwhile, and was there already."


def _tell_unheard(run: Run, group: list[Transmission], copies: list[Transmission]) -> Knot:
    first = copies[0]
    lost = [f for f in group if f.kind == "ACK" and not any(each.is_good for each in f.arrivals)]
    focus = lost[0] if lost else copies[1]
    waited = seconds(copies[1].at - first.at)
    unheard = ""
    if _was_under_way(run, copies):
        title = f"{first.name} goes again too early"
        why = f"Its acknowledgement was still on its way when the {first.sender}'s timer expired"
    else:
        title = f"{first.name} was there, its acknowledgement was not"
        why = f"The {first.sender} sends it again"
        unheard = _unheard_words(run, copies)
    harmless = "The copy is here already: dropped and acknowledged, nothing done twice."
    return _knot(group, focus, 1 + len(copies), title, unheard, f"{why}, after {waited}.", harmless)


def _unheard_words(run: Run, copies: list[Transmission]) -> str:
    """What happened to the frames that would have told the sender in time that one is there."""
    first = copies[0]
    told = [
        frame
        for frame in run.sent_between(first.at, copies[-1].at)
        if frame.sender == first.receiver and acknowledges(frame, first)
    ]
    harm = " and ".join(f"{what} {times(count)}" for what, count in _harm(told).items())
    names = " and ".join(dict.fromkeys(frame.name for frame in told if _is_unheard(frame)))
    return f"{names}, which would have told, is {harm}." if harm else ""


def _is_unheard(frame: Transmission) -> bool:
    return not any(each.is_good for each in frame.arrivals)


def _was_under_way(run: Run, copies: list[Transmission]) -> bool:
    """Whether what acknowledged a frame was sent before it went again, and arrived after that."""
    again = copies[1].at
    return any(
        any(each.is_good and each.at > again for each in frame.arrivals)
        for frame in run.sent_between(copies[0].at, again)
        if frame.sender == copies[0].receiver and acknowledges(frame, copies[0])
    )


_Group = list[Transmission]
# What a group is, the first that fits, and who tells it.
_TELLERS: tuple[tuple[Callable[[_Group], bool], Callable[[Run, _Group], Knot]], ...] = (
    (_is_outage, _tell_outage),
    (_is_stray, _tell_stray),
    (_is_only_acks, _tell_acks),
    (_is_gap, _tell_gap),
    (_is_single, _tell_single),
)


def _arrived(frame: Transmission) -> int:
    return min(each.at for each in frame.arrivals if each.is_good)


# -- what has no troubled frame of its own ------------------------------------------------------


def _unknown_changes(run: Run) -> Iterator[Knot]:
    for change in run.changes:
        if change.done is None or change.known is None:
            continue
        if change.known - change.done >= _LONG_UNKNOWN:
            yield _tell_unknown(run, change, change.done, change.known)


def _tell_unknown(run: Run, change: Change, done: int, known: int) -> Knot:
    group = [run.frame(each) for each in sorted({*change.frames, *change.replies})]
    replies = [run.frame(each) for each in change.replies]
    unheard = [frame for frame in replies if not any(each.is_good for each in frame.arrivals)]
    answer = run.frame(change.answer)
    asked = isinstance(answer.content, m.OutcomeKnown)
    how = "it calls again and asks" if asked else "until the answer is resent"
    return _knot(
        group,
        unheard[0] if unheard else group[0],
        _THE_POINT,
        f"{change.name} is done, and not known to be done",
        f"The pump does it at {seconds(done)}.",
        _harm_of_answers(replies),
        f"For {seconds(known - done)} the programmer does not know, and does not guess: {how}.",
    )


def _harm_of_answers(replies: list[Transmission]) -> str:
    """What the line did to the answers of the pump."""
    harm = [f"{what} {times(count)}" for what, count in _harm(replies).items()]
    if harm:
        return f"Its answer is {' and '.join(harm)}."
    return "Its answer is not harmed, only late." if replies else "It does not answer."


def _intruders(run: Run) -> Iterator[Knot]:
    for who, title in ((SOMEBODY, "Somebody else on the line"), (RIVAL, "A second programmer")):
        group = [frame for frame in run.frames if who in (frame.sender, frame.receiver)]
        if group:
            yield _tell_intruder(group, who, title)


def _tell_intruder(group: list[Transmission], who: str, title: str) -> Knot:
    said = [frame for frame in group if frame.sender == who and frame.kind == "DATA"]
    refused = [frame.content for frame in group if isinstance(frame.content, m.Refused)]
    reasons = Counter(words_of(each.reason) for each in refused)
    listed = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return _knot(
        group,
        said[0] if said else group[0],
        _THE_POINT,
        title,
        f"{number(len(said)).capitalize()} messages, each in a good frame.",
        f"{number(len(refused)).capitalize()} refused: {listed}."
        if refused
        else "None is refused.",
    )


# -- words ---------------------------------------------------------------------------------------


def number(count: int) -> str:
    """A small number in letters."""
    return _WORDS[count] if count < len(_WORDS) else f"{count:,}"


def times(count: int) -> str:
    """How often, in letters."""
    return {0: "never", 1: "once", 2: "twice"}.get(count) or f"{number(count)} times"


def seconds(microseconds: int) -> str:
    """A time as a reader wants it in a sentence."""
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.0f} ms"
    return (
        f"{microseconds / 1e6:.1f} s" if microseconds < 9_950_000 else f"{microseconds / 1e6:.0f} s"
    )
