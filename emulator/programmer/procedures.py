"""What a programmer does, step by step: generators that yield a request and are sent its reply.

Each is one text for every way of running it: in virtual time, over a blocking serial port, in
asyncio.  A procedure never sees a refusal or a lost connection as a value: those are raised into it
(`RequestRefused`, `ConnectionLost`, `OutcomeUnknown`), and it may catch them.
"""

from collections.abc import Generator
from typing import Any, TypeVar

from mockpump.emulator.programmer.errors import ReadbackDiffers
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.catalogue import Message
from mockpump.protocol.fields import Record
from mockpump.protocol.program import Program

T = TypeVar("T")
Procedure = Generator[Message, Any, T]

# Room for the other fields of the message that carries a piece of an image.
_PIECE_OVERHEAD = 32


class ProgramRead(Record, frozen=True):
    """A program as the pump holds it.  `program` is None when it holds none."""

    program: Program | None
    image: bytes
    digest: bytes


def ask(request: Message) -> Procedure[Any]:
    """One request, one reply."""
    return (yield request)


def read_program(slot: m.Slot = m.Slot.ACTIVE) -> Procedure[ProgramRead]:
    """Read a whole image, piece by piece, and decode it.

    `ReadbackDiffers` when the pieces are not of one image: it may have changed meanwhile.
    """
    image, digest = yield from _read_image(slot)
    if image and programs.digest(image) != digest:
        raise ReadbackDiffers("the pieces that the pump sent do not make up one image")
    return ProgramRead(programs.from_image(image) if image else None, image, digest)


def _read_image(slot: m.Slot) -> Procedure[tuple[bytes, bytes]]:
    image = b""
    while True:
        data: m.ProgramData = yield m.ReadProgram(slot, len(image), m.MAX_CHUNK)
        if data.offset != len(image) or (not data.data and len(image) < data.length):
            raise ReadbackDiffers("the pump sent another piece than was asked for")
        image += data.data
        if len(image) >= data.length:
            return image, data.digest


def set_program(
    program: Program, base: bytes, transaction: int, max_payload: int
) -> Procedure[m.ProgramCommitted]:
    """Stage a program, read it back, compare, commit.

    `base` is the digest of the program believed active: if another has become active meanwhile the
    pump refuses.  `transaction` must be fresh.  `max_payload` is the link's, in bytes.  Before the
    commit, whatever goes wrong, the pump goes on with its old program.
    """
    image = programs.image(program)
    yield m.BeginProgram(len(image), programs.digest(image), base)
    size = min(max_payload - _PIECE_OVERHEAD, m.MAX_CHUNK)
    for offset in range(0, len(image), size):
        yield m.WriteProgram(offset, image[offset : offset + size])
    try:
        staged, _ = yield from _read_image(m.Slot.STAGED)
        if staged != image:
            raise ReadbackDiffers("the pump read back another program than was sent")
    except ReadbackDiffers:
        yield m.AbortProgram()
        raise
    committed: m.ProgramCommitted = yield m.CommitProgram(
        transaction, programs.digest(image), m.When.NOW
    )
    return committed
