"""Requests that give the pump a program: announced, written, read back, committed, dropped."""

from collections.abc import Iterator
from functools import partial

from mockpump.emulator.pump.limits import Excess, program_excesses, rise_excesses
from mockpump.emulator.pump.peer import Peer, Staging
from mockpump.emulator.pump.pump import LAST_SECOND, Pump
from mockpump.emulator.pump.requests.decision import ANY, Command, Decision, refuse, refuse_excess
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.messages import Reason, Slot, When
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program, ProgramError

# What a ProgramData needs beside its piece of the image: its number, three short fields, a length.
_DATA_OVERHEAD = len(m.encode(m.ProgramData(0, bytes(m.DIGEST_SIZE), 0, b"")))


def _begin(pump: Pump, request: m.BeginProgram, peer: Peer) -> Decision:
    if request.base != pump.digest:
        return refuse(request, Reason.STALE_BASE, 3)
    staging = Staging(request.length, request.digest, request.base)
    return Decision(m.ProgramBegun(pump.digest), partial(peer.stage, staging))


def _write(pump: Pump, request: m.WriteProgram, peer: Peer) -> Decision:
    staging = peer.staging
    if not staging.length:
        return refuse(request, Reason.NOTHING_STAGED)
    if request.offset != len(staging.data):
        return refuse(request, Reason.OUT_OF_ORDER, 1, request.offset, len(staging.data))
    if len(request.data) > staging.missing:
        return refuse(request, Reason.OUT_OF_RANGE, 2, len(request.data), staging.missing)
    reply = m.ProgramWritten(len(staging.data) + len(request.data))
    return Decision(reply, partial(staging.append, request.data))


def _read(pump: Pump, request: m.ReadProgram, peer: Peer) -> Decision:
    image, digest = {
        Slot.ACTIVE: (pump.image, pump.digest),
        Slot.STAGED: (peer.staging.data, peer.staging.digest),
        Slot.PENDING: (pump.pending_image, programs.digest(pump.pending_image)),
    }[request.slot]
    largest = peer.largest_payload - _DATA_OVERHEAD
    piece = image[request.offset : request.offset + min(request.count, largest)]
    return Decision(m.ProgramData(len(image), digest, request.offset, piece))


def _commit(pump: Pump, request: m.CommitProgram, peer: Peer) -> Decision:
    staging = peer.staging
    if no := _not_as_begun(pump, request, staging):
        return no
    program = _decoded(staging.data)
    if program is None:
        return refuse(request, Reason.BAD_PROGRAM)
    for excess in _excesses(pump, program):
        return refuse_excess(request, excess)
    if request.when is not When.NOW and pump.delivery.schedule is None:
        # Without a program there is no edge to wait for.
        return refuse(request, Reason.OUT_OF_RANGE, 3, request.when)
    rules_from = min(pump.delivery.moment(request.when), LAST_SECOND)
    reply = m.ProgramCommitted(staging.digest, rules_from)
    activate = partial(pump.activate, staging.data, request.when)
    return Decision(reply, activate, staging.data, partial(peer.stage, Staging()))


def _not_as_begun(pump: Pump, request: m.CommitProgram, staging: Staging) -> Decision | None:
    """The no to a commit of anything but what was announced, whole; None: it is that."""
    if not staging.length:
        return refuse(request, Reason.NOTHING_STAGED)
    if staging.missing:
        return refuse(request, Reason.INCOMPLETE, 0, len(staging.data), staging.length)
    if not request.digest == staging.digest == programs.digest(staging.data):
        return refuse(request, Reason.BAD_DIGEST, 2)
    if staging.base != pump.digest:
        return refuse(request, Reason.STALE_BASE)
    return None


def _decoded(image: bytes) -> Program | None:
    try:
        return programs.from_image(image)
    except (DecodeError, ProgramError):
        return None


def _excesses(pump: Pump, program: Program) -> Iterator[Excess]:
    """What a program would break, by itself and beside the present one."""
    limits = pump.delivery.limits
    yield from program_excesses(program, limits)
    if pump.program is not None:
        yield from rise_excesses(pump.program, pump.delivery.percent, program, limits)


def _abort(pump: Pump, request: m.AbortProgram, peer: Peer) -> Decision:
    return Decision(m.ProgramAborted(), partial(peer.stage, Staging()))


def _drop_pending(pump: Pump, request: m.DropPending, peer: Peer) -> Decision:
    if not pump.pending_image:
        return refuse(request, Reason.NOTHING_TO_END)
    return Decision(m.PendingDropped(pump.digest), pump.drop_pending)


COMMANDS: dict[type[Message], Command] = {
    m.BeginProgram: Command(_begin, ANY),
    m.WriteProgram: Command(_write, ANY),
    m.ReadProgram: Command(_read, ANY),
    m.CommitProgram: Command(_commit, ANY),
    m.AbortProgram: Command(_abort, ANY),
    m.DropPending: Command(_drop_pending, ANY),
}
