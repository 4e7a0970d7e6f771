"""The transmissions of a run, paired with what arrived of them, decoded, each with its cause.

One pass over the lines of a trace.  For each side the pass remembers what has last happened to it
(its *trigger*): something arrived, or a doing began.  A frame that a side sends in the very instant
of its trigger was brought about by it; one that it sends at another time was brought about by time,
and its link's shadow knows which of its timers was due.
"""

from typing import NamedTuple

from mockpump.emulator.channel.channel import duration
from mockpump.emulator.channel.impairments import Impairments, read_impairments
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.format import MAIN_LINE, PROGRAMMER, PUMP, RIVAL, SOMEBODY, Sender
from mockpump.emulator.trace.run import Arrival, Cause, Flip, Transmission
from mockpump.emulator.trace.shadow import Shadow, Verdict, frames_in
from mockpump.protocol import messages as m
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Record
from mockpump.protocol.framing import Frame, Kind, RejectedFrame
from mockpump.protocol.link.arq import ahead
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.messages.base import Direction, Message
from mockpump.protocol.session import Seal, claimed_name, split_seal

_REPEATED_KINDS = (Kind.OPEN, Kind.OPEN_ACK, Kind.DATA, Kind.CLOSE)
_DAMAGE = ("ber", "burst", "flip")
_OTHER: dict[Sender, Sender] = {PROGRAMMER: PUMP, PUMP: PROGRAMMER, SOMEBODY: PUMP, RIVAL: PUMP}


class _Trigger(NamedTuple):
    """What has last happened to a side, when, and in which place among the lines.

    `frame` is the last frame that came, `doing` the last doing that began.
    """

    came_at: int = -1
    frame: int = 0
    began_at: int = -1
    doing: int = 0
    doing_is_later: bool = False


class Transmissions:
    """Takes the lines of a trace one by one; `frames` are the transmissions so far."""

    def __init__(self, shadow: Shadow, slack: int = 0) -> None:
        """`slack` is how many microseconds later what something brings about may be noted."""
        self.frames: list[Transmission] = []
        # How many frames came before these, and were forgotten.
        self.before = 0
        self._shadow = shadow
        self._slack = slack
        self._line = Impairments()
        self._by_id: dict[int, Transmission] = {}
        self._free_at: dict[tuple[int, str], int] = {}
        # The latest transmission of each frame that may go again, and how often it has gone.
        self._latest: dict[tuple[int, str, Kind, int, int], Transmission] = {}
        self._triggers: dict[str, _Trigger] = {}
        # The requests that the pump has taken in and not answered, oldest first, by line and
        # connection; and what each side keeps behind a gap.
        self._unanswered: dict[tuple[int, int], list[Transmission]] = {}
        # The requests that were sent, of which no reply was heard; for a trace of one end.
        self._asked: dict[tuple[int, int], list[Transmission]] = {}
        self._kept: dict[tuple[int, int, str], list[Transmission]] = {}

    def take(self, order: int, line: lines.AnyLine) -> None:
        """The next line of the trace; what says nothing of frames is passed over."""
        if isinstance(line, lines.Sent):
            self._sent(order, line)
        elif isinstance(line, lines.Arrived):
            self._arrived(order, line)
        elif isinstance(line, lines.Channel) and line.line == MAIN_LINE:
            self._line = read_impairments(line.impairments)
        elif isinstance(line, lines.Began):
            self._triggers[PROGRAMMER] = self._trigger(PROGRAMMER)._replace(
                began_at=line.t, doing=line.id, doing_is_later=True
            )
        elif isinstance(line, lines.Waiting):
            self._shadow.waiting(line.by, line.payloads, line.t, order)
        elif isinstance(line, lines.Power):
            self._shadow.restarted(line.t, order)

    def forget(self, most: int) -> None:
        """Keep the latest frames only: no more than this many."""
        gone = self.frames[: max(0, len(self.frames) - most)]
        del self.frames[: len(gone)]
        self.before += len(gone)
        self._by_id = {
            each: sent for each, sent in self._by_id.items() if sent.number > self.before
        }

    def _frame(self, number: int) -> Transmission | None:
        """The frame of a number; None when it was forgotten, or for 0."""
        place = number - self.before - 1
        return self.frames[place] if place >= 0 else None

    # -- sent ------------------------------------------------------------------------------------

    def _sent(self, order: int, line: lines.Sent) -> None:
        data = bytes.fromhex(line.bytes)
        frames = frames_in(data)
        sent = self._begin(order, line, line.by, data, frames)
        sent.begins, sent.ends = self._on_line(line, len(data))
        sent.lost = line.lost
        sent.was_seen_sent = True
        before = self._count(sent)
        sent.cause = self._cause(sent, before)
        if before is None and sent.sender != PUMP and sent.content is not None:
            self._asked.setdefault(_connection(sent), []).append(sent)
        self._add(sent, line.id)
        self._shadow.sent(line.line, line.by, frames, line.t, order)
        if (cause := self._frame(sent.cause.frame)) is not None:
            cause.effects.append(sent.number)

    def _begin(
        self,
        order: int,
        line: lines.Sent | lines.Arrived,
        by: Sender,
        data: bytes,
        frames: list[Frame],
    ) -> Transmission:
        """A transmission of these bytes, as far as they tell of it."""
        frame = frames[0] if len(frames) == 1 else None
        message, content, seal = _carried(frame)
        return Transmission(
            number=self.before + len(self.frames) + 1,
            order=order,
            line=line.line,
            sender=by,
            receiver=RIVAL if line.line and by == PUMP else _OTHER[by],
            at=line.t,
            begins=line.t,
            ends=line.t,
            data=data,
            frame=frame,
            message=message,
            content=content,
            seal=seal,
            arrivals=[],
            effects=[],
        )

    def _add(self, sent: Transmission, number: int) -> None:
        self.frames.append(sent)
        self._by_id[number] = sent

    def _on_line(self, line: lines.Sent, size: int) -> tuple[int, int]:
        """From when to when it is on the line; what takes another way takes no time."""
        if line.line != MAIN_LINE or line.by == SOMEBODY or line.lost == "scenario":
            return line.t, line.t
        way = line.line, line.by
        begins = max(line.t, self._free_at.get(way, 0))
        self._free_at[way] = begins + duration(size, self._line.baud)
        return begins, self._free_at[way]

    def _count(self, sent: Transmission) -> Transmission | None:
        """Which transmission of its frame it is; the one before it."""
        sent.first = sent.number
        frame = sent.frame
        if frame is None or frame.kind not in _REPEATED_KINDS:
            return None
        key = sent.line, sent.sender, frame.kind, frame.connection, frame.seq
        before = self._latest.get(key)
        self._latest[key] = sent
        if before is None or before.frame is None or before.frame.payload != frame.payload:
            # Numbers come round: another payload under the same one is another frame.
            return None
        sent.first, sent.count = before.first, before.count + 1
        return before

    # -- why -------------------------------------------------------------------------------------

    def _cause(self, sent: Transmission, before: Transmission | None) -> Cause:
        if sent.sender in (SOMEBODY, RIVAL):
            return Cause("attack" if sent.sender == SOMEBODY else "rival")
        trigger = self._trigger(sent.sender)
        came = trigger.frame if self._just(trigger.came_at, sent.at) else 0
        if before is not None:
            return self._why_again(sent, before, came)
        if sent.kind == "ACK":
            return self._why_acknowledged(sent, came)
        if sent.kind in ("CLOSE", "RESET"):
            return self._why_ended(trigger, came)
        return (
            self._why_said(sent, came)
            if sent.sender == PUMP
            else self._why_asked(sent, trigger, came)
        )

    def _just(self, then: int, now: int) -> bool:
        """Whether what was then is what has brought about what is now."""
        return 0 <= then <= now <= then + self._slack

    def _trigger(self, side: str) -> _Trigger:
        return self._triggers.get(side, _Trigger())

    def _why_again(self, sent: Transmission, before: Transmission, came: int) -> Cause:
        if sent.kind == "OPEN_ACK" and came:
            return Cause("repeat", came)
        state = self._shadow.before(sent.sender)
        if state is not None and state.due_at is not None and state.due_at <= sent.at:
            return Cause("timer", before.number)
        return Cause("gap", came) if came else Cause("timer", before.number)

    def _why_acknowledged(self, sent: Transmission, came: int) -> Cause:
        if came:
            return Cause("at once", came)
        state = self._shadow.before(sent.sender)
        waited = sent.at - self._trigger(sent.sender).came_at
        if state is None:
            is_due = waited <= 2 * LinkSettings().ack_delay
        else:
            is_due = state.ack_at is not None and state.ack_at <= sent.at
        return Cause("delayed", self._trigger(sent.sender).frame) if is_due else Cause("keepalive")

    def _why_asked(self, sent: Transmission, trigger: _Trigger, came: int) -> Cause:
        if self._just(trigger.began_at, sent.at) and (trigger.doing_is_later or not came):
            return Cause("asked", doing=trigger.doing)
        if not came:
            return Cause("unknown")
        frame = self._frame(came)
        made_room = sent.kind == "DATA" and frame is not None and frame.kind == "ACK"
        return Cause("room" if made_room else "next", came)

    def _why_ended(self, trigger: _Trigger, came: int) -> Cause:
        if not came:
            return Cause("close", doing=trigger.doing)
        frame = self._frame(came)
        stray = frame is not None and frame.arrivals[-1].verdict.word == "dropped"
        return Cause("stray" if stray else "close", came)

    def _why_said(self, sent: Transmission, came: int) -> Cause:
        if sent.content is not None and _is_unasked(sent.content):
            return Cause("report", came)
        if sent.kind != "DATA":
            return Cause("answer", came) if came else Cause("unknown")
        waiting = self._unanswered.get(_connection(sent), [])
        while waiting:
            request = waiting.pop(0)
            if _may_answer(request, sent):
                return Cause("answer", request.number)
        return Cause("answer", came) if came else Cause("unknown")

    # -- arrived ---------------------------------------------------------------------------------

    def _arrived(self, order: int, line: lines.Arrived) -> None:
        data = bytes.fromhex(line.bytes)
        taken = self._shadow.arrived(line.line, line.to, data, line.t, order)
        sent = self._by_id.get(line.id) or self._unsent(order, line, data)
        sent.receiver = line.to
        arrival = _arrival(sent, order, line, data, taken)
        sent.arrivals.append(arrival)
        self._triggers[line.to] = self._trigger(line.to)._replace(
            came_at=line.t, frame=sent.number, doing_is_later=False
        )
        if arrival.verdict.word in ("kept", "delivered"):
            self._hand_up(sent, line, arrival.verdict.word)

    def _unsent(self, order: int, line: lines.Arrived, data: bytes) -> Transmission:
        """A transmission of which nobody has recorded that it was sent: it begins as it arrives."""
        by = RIVAL if line.line and line.to == PUMP else _OTHER[line.to]
        sent = self._begin(order, line, by, data, frames_in(data))
        if self._count(sent) is None and by == PUMP and sent.kind == "DATA":
            sent.cause = self._why_heard(sent)
        self._add(sent, line.id)
        return sent

    def _why_heard(self, sent: Transmission) -> Cause:
        """Which request a reply answers that nobody recorded as sent: replies keep their order."""
        asked = self._asked.get(_connection(sent), [])
        while asked and not (sent.content is not None and _is_unasked(sent.content)):
            request = asked.pop(0)
            if _may_answer(request, sent):
                return Cause("answer", request.number)
        return Cause("unknown")

    def _hand_up(self, sent: Transmission, line: lines.Arrived, verdict: str) -> None:
        """A payload is there: it is kept, or handed up with those that were kept behind it."""
        where = _connection(sent)
        kept = self._kept.setdefault((*where, line.to), [])
        if verdict == "kept":
            kept.append(sent)
            return
        kept.sort(key=lambda each: ahead(_seq(each), _seq(sent)))
        whole = [sent, *kept]
        in_order = [
            each for place, each in enumerate(whole) if ahead(_seq(each), _seq(sent)) == place
        ]
        for each in in_order:
            each.handed_up = line.t
        kept[:] = [each for each in kept if each not in in_order]
        if line.to == PUMP:
            self._unanswered.setdefault(where, []).extend(in_order)


def _connection(sent: Transmission) -> tuple[int, int]:
    return sent.line, -1 if sent.frame is None else sent.frame.connection


def _seq(sent: Transmission) -> int:
    return 0 if sent.frame is None else sent.frame.seq


def _is_unasked(content: Record) -> bool:
    return isinstance(content, Message) and m.entry_of(type(content)).direction is Direction.EVENT


def _may_answer(request: Transmission, reply: Transmission) -> bool:
    """Whether a message can be the reply to a request."""
    if isinstance(reply.content, m.Refused):
        return True
    entry = m.entry_of(type(request.content)) if isinstance(request.content, Message) else None
    return entry is None or entry.reply is type(reply.content)


def _arrival(
    sent: Transmission,
    order: int,
    line: lines.Arrived,
    data: bytes,
    taken: list[tuple[Frame | RejectedFrame, Verdict]],
) -> Arrival:
    garbage = max((end for kind, _, end in line.faults if kind == "garbage"), default=0)
    return Arrival(
        at=line.t,
        begins=line.t - (sent.ends - sent.begins),
        order=order,
        data=data,
        faults=tuple(kind for kind, _, _ in line.faults),
        garbage=garbage,
        flips=tuple(_flips(sent.data, data, garbage, line.faults)),
        verdict=_verdict(taken),
    )


def _verdict(taken: list[tuple[Frame | RejectedFrame, Verdict]]) -> Verdict:
    """What came of the frame: of the whole one if there is one, with garbage before it or not."""
    whole = [verdict for found, verdict in taken if isinstance(found, Frame)]
    if whole:
        return whole[-1]
    return taken[-1][1] if taken else Verdict("incomplete", "its end is missing")


def _flips(
    sent: bytes, came: bytes, garbage: int, faults: list[tuple[str, int, int]]
) -> list[Flip]:
    """The bytes that differ, among those that a fault has touched."""
    touched = sorted({at for kind, a, b in faults if kind in _DAMAGE for at in range(a, b)})
    return [
        Flip(at - garbage + 1, sent[at - garbage], came[at])
        for at in touched
        if 0 <= at - garbage < len(sent) and sent[at - garbage] != came[at]
    ]


def _carried(frame: Frame | None) -> tuple[str, Record | None, Seal | None]:
    """The message that a frame carries: its name, itself and its seal, as far as it has them."""
    if frame is None or frame.kind is not Kind.DATA:
        return "", None, None
    name = claimed_name(frame.payload) or "?"
    try:
        seal, message = split_seal(frame.payload)
        return name, m.decode(message), seal
    except DecodeError:
        return name, None, None


def look_back(frames: list[Transmission], is_whole: bool) -> None:
    """Tell each transmission what only the whole trace tells: how many there are of its frame, and
    whether anybody recorded what came to the end that it went to; in a whole one everybody did.
    """
    counts: dict[int, int] = {}
    recorded = {frame.receiver for frame in frames if frame.arrivals}
    for frame in frames:
        counts[frame.first] = frame.count
    for frame in frames:
        frame.counts = counts[frame.first]
        frame.is_arrival_known = is_whole or bool(frame.lost) or frame.receiver in recorded
