"""One frame of a run: what happened to it, and its bytes, layer by layer, with those damaged."""

from collections.abc import Iterator

from mockpump.cli.render import show
from mockpump.cli.tables import Cell, show_table
from mockpump.cli.wire.decode import Part, parts_of, stretches
from mockpump.cli.wire.render import WIDTH, show_parts
from mockpump.display.text import wrapped
from mockpump.display.words import stamp, title
from mockpump.emulator.trace.explain import answer, fate, why
from mockpump.emulator.trace.run import Arrival, Flip, Run, Transmission

# Layers that hold the bytes as they are on the line; those of the others come out of COBS.
_ON_THE_LINE = ("delimiter", "COBS")


def show_frame(frame: Transmission) -> None:
    """A frame as it was sent, and what came of it."""
    who = f"{frame.sender} -> {frame.receiver}"
    show(("frame ", "dim"), (f"{frame.number}  {title(frame)}, {who}", "bold"))
    for part in wrapped(fate(frame), WIDTH - 2):
        show(f"  {part}", style="red" if frame.faults else "")
    show()
    show((f"sent at {stamp(frame.at)} s", "bold"), f", {len(frame.data)} bytes")
    harmed = {flip.byte for arrival in frame.arrivals for flip in arrival.flips}
    for stretch in stretches(frame.data):
        show_parts(_marked(list(parts_of(stretch)), stretch.encoded, harmed))
    for arrival in frame.arrivals:
        _show_arrival(frame, arrival)


def _marked(parts: list[Part], encoded: bytes, harmed: set[int]) -> Iterator[Part]:
    """The parts, each with the damaged bytes in it: byte 1 of the line is the delimiter."""
    places = [None, *_decoded_places(encoded)]
    by_place = {byte: places[byte - 1] if byte <= len(places) else None for byte in sorted(harmed)}
    at = 0
    for part in parts:
        if part.label in _ON_THE_LINE:
            # What is not of any layer above is the line's own.
            yield _mark(
                part, [b for b, p in by_place.items() if p is None and part.label == "COBS"]
            )
        else:
            inside = range(at, at + len(part.data))
            at += len(part.data)
            yield _mark(part, [byte for byte, place in by_place.items() if place in inside])


def _mark(part: Part, damaged: list[int]) -> Part:
    if not damaged:
        return part
    plural = "s" * (len(damaged) > 1)
    told = f"byte{plural} {', '.join(map(str, damaged))} damaged"
    return part._replace(text=f"{part.text}; {told}".lstrip("; "), bad=True)


def _decoded_places(encoded: bytes) -> Iterator[int | None]:
    """For each byte of a COBS encoding, the place of the byte that it stands for.

    A byte that tells how long a block is stands for the zero that ended the block before it: for
    none at the beginning, and behind a block of 254.
    """
    at, place = 0, 0
    is_zero = False
    while at < len(encoded):
        yield place if is_zero else None
        place += is_zero
        length = encoded[at] - 1
        for _ in range(length):
            yield place
            place += 1
        at += 1 + length
        is_zero = length < 254


def _show_arrival(frame: Transmission, arrival: Arrival) -> None:
    show()
    show((f"arrived at {stamp(arrival.at)} s", "bold"), f", {len(arrival.data)} bytes")
    if arrival.garbage:
        garbage = arrival.data[: arrival.garbage].hex(" ")
        show((f"  {arrival.garbage} that nobody sent, first: {garbage}", "red"))
    if "truncate" in arrival.faults:
        missing = len(frame.data) + arrival.garbage - len(arrival.data)
        show((f"  the last {missing} of the frame are missing", "red"))
    if arrival.flips:
        headings = (">byte", "sent", "came", "bits flipped, 7 is the highest")
        show_table(headings, map(_flip_row, arrival.flips), "damaged bytes", indent=2)
    word, detail = arrival.verdict
    show(f"  {word}{': ' if detail else ''}{detail}", style="" if arrival.is_good else "red")


def _flip_row(flip: Flip) -> tuple[Cell, ...]:
    bits = ", ".join(map(str, flip.bits))
    return str(flip.byte), _byte(flip.was), (_byte(flip.came), "red"), (bits, "red")


def _byte(value: int) -> str:
    return f"{value:02x} = {value >> 4:04b} {value & 15:04b}"


def show_why(run: Run, number: int, is_short: bool = False) -> None:
    """Why a frame was sent: the answer first, then the chain back to its beginning, numbered."""
    for part in wrapped(answer(run, number), WIDTH):
        show((part, "bold"))
    if is_short:
        return
    width = len(str(run.last))
    for place, reason in enumerate(why(run, number), 1):
        lead = f"{place:>3}. "
        frame = f"{reason.frame or '':>{width}}  "
        for part in wrapped(reason.text, WIDTH - len(lead) - len(frame)):
            show(lead, (frame, "dim"), part)
            lead, frame = " " * len(lead), " " * len(frame)
