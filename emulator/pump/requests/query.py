"""Requests that only ask: identity, status, details, clock, log, outcomes; and subscriptions."""

from functools import partial

from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.decision import ANY, Command, Decision, recorded_reply
from mockpump.protocol import messages as m
from mockpump.protocol.log import ENTRY_SIZE, encode_entry
from mockpump.protocol.messages import OutcomeStatus, RampState, When
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import UNITS_PER_NL

_U32 = 2**32 - 1
# What a LogPiece needs beside its entries.
_LOG_OVERHEAD = len(m.encode(m.LogPiece(0, 0, bytes(m.CHAIN_SIZE), bytes(m.CHAIN_SIZE), b"")))


def _identify(pump: Pump, request: m.Identify, peer: Peer) -> Decision:
    return Decision(pump.describe())


def _status(pump: Pump, request: m.GetStatus, peer: Peer) -> Decision:
    d = pump.delivery
    return Decision(
        m.Status(
            pump.mode,
            d.elapsed,
            d.clock,
            d.rate,
            d.delivered,
            d.remainder,
            pump.reservoir,
            d.percent,
            d.pattern,
            _counted(peer.frames_rejected),
            _counted(peer.bytes_discarded),
            pump.outcomes,
        )
    )


def _counted(figure: int) -> int:
    """As much of a count as a u32 tells."""
    return figure if figure < _U32 else _U32


def _get_clock(pump: Pump, request: m.GetClock, peer: Peer) -> Decision:
    return Decision(m.Clock(pump.delivery.clock, pump.elapsed))


def _details(pump: Pump, request: m.GetDetails, peer: Peer) -> Decision:
    d = pump.delivery
    bolus, temporary = d.bolus, d.temporary
    held = d.schedule is not None and d.schedule.held_day is not None
    details = m.Details(
        pump.bolus_left,
        bolus.volume if bolus else 0,
        bolus.ends if bolus else 0,
        temporary.percent if temporary else 100,
        temporary.ends if temporary else 0,
        RampState.HELD if held else RampState.FOLLOWING,
        d.pending.when if d.pending else When.NOW,
        pump.panel.priority,
        pump.catheter.arrived(d.due) // UNITS_PER_NL,
        pump.catheter.concentration,
        pump.catheter.arriving(d.due),
        pump.catheter.dead,
    )
    return Decision(details)


def _read_log(pump: Pump, request: m.ReadLog, peer: Peer) -> Decision:
    count = max((peer.largest_payload - _LOG_OVERHEAD) // ENTRY_SIZE, 1)
    page = pump.memory.log(request.first, min(count, m.MAX_CHUNK // ENTRY_SIZE))
    entries = b"".join(map(encode_entry, page.entries))
    piece = m.LogPiece(page.first, page.newest, page.before, page.newest_chain, entries)
    return Decision(piece)


def _query_outcome(pump: Pump, request: m.QueryOutcome, peer: Peer) -> Decision:
    known = pump.memory.outcome(request.asked)
    if known is None:
        return Decision(
            m.OutcomeKnown(request.asked, OutcomeStatus.NEVER_SEEN, 0, b"", pump.outcomes)
        )
    said_no = isinstance(recorded_reply(known), m.Refused)
    fate = OutcomeStatus.REFUSED if said_no else OutcomeStatus.DONE
    number = known.request[0] if known.request else 0
    return Decision(m.OutcomeKnown(request.asked, fate, number, known.reply, pump.outcomes))


def _subscribe(pump: Pump, request: m.Subscribe, peer: Peer) -> Decision:
    subscribe = partial(peer.subscribe, request.interval, pump.elapsed)
    return Decision(m.Subscribed(request.interval), subscribe)


COMMANDS: dict[type[Message], Command] = {
    m.Identify: Command(_identify, ANY),
    m.GetStatus: Command(_status, ANY),
    m.GetDetails: Command(_details, ANY),
    m.GetClock: Command(_get_clock, ANY),
    m.ReadLog: Command(_read_log, ANY),
    m.QueryOutcome: Command(_query_outcome, ANY),
    m.Subscribe: Command(_subscribe, ANY),
}
