"""Requests that begin a session: the greeting and the proof."""

from functools import partial

import msgspec

from mockpump.emulator.pump import operations
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.decision import ANY, Command, Decision, refuse
from mockpump.protocol import messages as m
from mockpump.protocol.messages import Reason
from mockpump.protocol.messages.base import Access, Message
from mockpump.protocol.session import SessionKeys, offers_our_version, proof_matches


def _hello(pump: Pump, request: m.Hello, peer: Peer) -> Decision:
    if no := _not_free(pump, peer, request, request):
        return no
    if not offers_our_version(request):
        return refuse(request, Reason.WRONG_VERSION, 2, request.highest, m.PROTOCOL_VERSION)
    if peer.draw is None or not pump.pairing.secret(request.access):
        return refuse(request, Reason.NOT_PAIRED, 3)
    nonce, outcomes = peer.draw(m.NONCE_SIZE), pump.outcomes
    welcome = m.Welcome(m.PROTOCOL_VERSION, pump.identity.serial, nonce, outcomes)
    return Decision(welcome, partial(peer.begin_handshake, (request, welcome)))


def _not_free(pump: Pump, peer: Peer, request: Message, hello: m.Hello | None) -> Decision | None:
    """Why no session can begin now; `hello` is what asks for one, None: nothing did."""
    if peer.keys is not None:
        return refuse(request, Reason.OUT_OF_ORDER)
    if pump.serving is not None and not _takes_over(hello):
        return refuse(request, Reason.BUSY)
    if pump.pairing.locked:
        return refuse(request, Reason.PAIRING_LOCKED, 0, pump.lock_left)
    return None


def _takes_over(hello: m.Hello | None) -> bool:
    # An observer never displaces anybody, asked for or not.
    return hello is not None and hello.take_over == 1 and hello.access is Access.CLINICIAN


def _prove(pump: Pump, request: m.Prove, peer: Peer) -> Decision:
    greeting = peer.greeting
    if no := _not_free(pump, peer, request, greeting and greeting[0]):
        return no
    if greeting is None:
        return refuse(request, Reason.OUT_OF_ORDER)
    hello, welcome = greeting
    keys = SessionKeys(pump.pairing.secret(hello.access), pump.describe(), hello, welcome)
    if proof_matches(request.proof, keys.prove):
        return Decision(m.Proven(keys.proven), partial(_begin, pump, peer, hello.access, keys))
    no = refuse(request, Reason.WRONG_PROOF, 1)
    return msgspec.structs.replace(no, effect=partial(_fail, pump, peer, hello.access))


def _begin(pump: Pump, peer: Peer, access: Access, keys: SessionKeys) -> None:
    peer.begin_handshake(None)
    ended = None if pump.serving is None else pump.serving.access
    pump.change(partial(operations.start_session, pump, access, ended))
    # Whoever was served until now is so no longer: their endpoint finds that out, and tells them.
    peer.authenticate(access, keys)
    pump.serving = peer


def _fail(pump: Pump, peer: Peer, access: Access) -> None:
    # One greeting, one guess.
    peer.begin_handshake(None)
    pump.change(partial(operations.fail_proof, pump, access))


COMMANDS: dict[type[Message], Command] = {
    m.Hello: Command(_hello, ANY),
    m.Prove: Command(_prove, ANY),
}
