"""Fault attribution: what caught each fault, told from what went by on both ends of the line.

The one idea: a tap on each end finds the frames as a receiver does.  A fault that touched bytes
belongs to the frame, or to what was none, in which those bytes ended; one that swallowed frames is
made good when the sender sends one of them again, because the other side had what was sent later
(link) or because nothing came (timeout).  The taps hold no key and change nothing.
"""

from collections import Counter

from mockpump.emulator.channel.channel import Arrival, Fault, FaultKind, FaultSpan, Layer
from mockpump.emulator.channel.fate import only_frame
from mockpump.protocol import messages
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, RejectedFrame, RejectReason
from mockpump.protocol.link.arq import SACK_BITS, ahead
from mockpump.protocol.session import is_sealed

# Whose frame, of which kind, in which connection, and which of them.
_Name = tuple[bool, Kind, int, int]
_SORTED_OUT = (FaultKind.DUPLICATE, FaultKind.REORDER)
# Only its last delimiter was cut off, and the next frame began with one; or garbage ended in one.
_AROUND_FRAMES = (FaultKind.TRUNCATE, FaultKind.GARBAGE)
_SAY_WHAT_IS_HERE = (Kind.DATA, Kind.ACK, Kind.CLOSE)


class FaultAttribution:
    """Everything that was done to one line, and what happened to it."""

    def __init__(self) -> None:
        # Finds the frames of a side that gives them to the line in pieces.
        self._senders: dict[bool, FrameDecoder] = {}
        self._receivers = {way: _Tap() for way in (True, False)}
        # The faults that swallowed a frame which was not sent again yet.
        self._missing: dict[_Name, list[Fault]] = {}
        # When each DATA frame was last sent, of those that the other side has not said to be here;
        # counted in transmissions.  And the newest of those that are, of either side.
        self._orders: dict[_Name, int] = {}
        self._newest_here = {True: 0, False: 0}
        self._count = 0
        # How many frames each side has sent.
        self.frames = {True: 0, False: 0}
        self._all: list[Fault] = []

    def sent(self, from_programmer: bool, data: bytes, lost: Fault | None) -> None:
        """A side has sent a chunk; `lost` is what swallowed it, if anything did."""
        names = [_name(from_programmer, each) for each in self._frames(from_programmer, data)]
        self.frames[from_programmer] += len(names)
        for name in names:
            # It is sent again: because one that was sent later is here, or because a timer ran out.
            later = self._orders.get(name, self._count) < self._newest_here[from_programmer]
            for fault in self._missing.pop(name, ()):
                _settle(fault, Layer.LINK if later else Layer.TIMEOUT)
            self._put_in_order(name)
        if lost is not None:
            self._all.append(lost)
            for name in names:
                if name[1] not in (Kind.ACK, Kind.RESET):
                    self._missing.setdefault(name, []).append(lost)

    def _frames(self, from_programmer: bool, data: bytes) -> list[Frame]:
        """The frames that a side has sent with this chunk."""
        whole = only_frame(data)
        if whole is not None:
            # With its first delimiter whatever was begun before has ended.
            self._senders.pop(from_programmer, None)
            return [whole]
        decoder = self._senders.setdefault(from_programmer, FrameDecoder())
        return [each for each in decoder.receive_data(data) if isinstance(each, Frame)]

    def _put_in_order(self, name: _Name) -> None:
        if name[1] is Kind.OPEN:
            self._orders.clear()
        elif name[1] is Kind.DATA:
            self._count += 1
            self._orders[name] = self._count

    def arrived(self, arrival: Arrival) -> None:
        """A chunk has come to the other side."""
        self._all += [span.fault for span in arrival.spans]
        for found in self._receivers[arrival.from_programmer].take(arrival.data, arrival.spans):
            self._heard(not arrival.from_programmer, found)

    def _heard(self, of_programmer: bool, found: Frame) -> None:
        """What the other side of a side says it has of the frames that this one has sent."""
        here = [name for name in self._orders if name[0] is of_programmer and _is_here(name, found)]
        for name in here:
            order = self._orders.pop(name)
            self._newest_here[of_programmer] = max(self._newest_here[of_programmer], order)
            for fault in self._missing.pop(name, ()):
                # One like it had arrived before, and nobody missed this one.
                _settle(fault, Layer.HARMLESS)

    def table(self) -> dict[str, dict[str, int]]:
        """How many faults of each kind were caught by each layer; those that never were are left.

        A frame that was never sent again was given up after a timeout.
        """
        given_up = {id(fault) for faults in self._missing.values() for fault in faults}
        counted: Counter[tuple[FaultKind, Layer]] = Counter()
        for fault in self._all:
            left = Layer.TIMEOUT if id(fault) in given_up else Layer.HARMLESS
            counted[fault.kind, fault.caught or left] += 1
        return {
            kind.value: {layer.value: counted[kind, layer] for layer in Layer}
            for kind in FaultKind
            if any(counted[kind, layer] for layer in Layer)
        }


class _Tap:
    """A receiver's end: which faults are in the frame that is just coming in."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()
        self._inside: list[Fault] = []

    def take(self, data: bytes, spans: tuple[FaultSpan, ...]) -> list[Frame]:
        """Bytes come in; the good frames that end in them."""
        if not spans and not self._inside:
            return [each for each in self._decoder.receive_data(data) if isinstance(each, Frame)]
        good, start = [], 0
        while start <= len(data):
            end = data.find(0, start) + 1 or len(data) + 1
            self._inside += [span.fault for span in spans if _touches(span, start, end)]
            for found in self._decoder.receive_data(data[start:end]):
                good += [found] if isinstance(found, Frame) else []
                for fault in self._inside:
                    _settle(fault, _caught(fault, found))
                self._inside = []
            start = end
        return good


def _touches(span: FaultSpan, start: int, end: int) -> bool:
    """Whether a span is in a stretch; one without bytes is where they are missing."""
    return span.start < end and (span.end > start or span.start == span.end >= start)


def _caught(fault: Fault, found: Frame | RejectedFrame) -> Layer:
    """What caught a fault that touched bytes of this."""
    if isinstance(found, RejectedFrame):
        return Layer.CRC if found.reason is RejectReason.BAD_CRC else Layer.FRAME
    if fault.kind in _SORTED_OUT:
        return Layer.HARMLESS if found.kind is Kind.ACK else Layer.LINK
    return Layer.HARMLESS if fault.kind in _AROUND_FRAMES else _slipped_through(found)


def _slipped_through(found: Frame) -> Layer:
    """What catches a damaged frame whose checksum fits by accident."""
    if found.kind is not Kind.DATA:
        return Layer.LINK
    if is_sealed(found.payload):
        return Layer.SESSION
    try:
        messages.decode(found.payload)
    except DecodeError:
        return Layer.MESSAGE
    return Layer.UNDETECTED


def _is_here(name: _Name, found: Frame) -> bool:
    """Whether a frame of the other side says that the one of this name has arrived."""
    if name[2] != found.connection or found.kind not in _SAY_WHAT_IS_HERE:
        return False
    place = ahead(name[3], found.ack) - 1
    return place >= 127 or (0 <= place < SACK_BITS and bool(found.sack >> place & 1))


def _name(from_programmer: bool, frame: Frame) -> _Name:
    return from_programmer, frame.kind, frame.connection, frame.seq


def _settle(fault: Fault, layer: Layer) -> None:
    if fault.caught is None:
        fault.caught = layer
