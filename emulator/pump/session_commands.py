"""Requests that begin a session: the greeting and the proof."""

from functools import partial

from mockpump.emulator.pump import operations
from mockpump.emulator.pump.answers import ANY, Answer, Command, Refusal, refused
from mockpump.emulator.pump.caller import Caller
from mockpump.emulator.pump.device import Pump
from mockpump.protocol import messages as m
from mockpump.protocol.catalogue import Access, Message
from mockpump.protocol.messages import Reason
from mockpump.protocol.session import SessionKeys, fits, speaks


def _hello(pump: Pump, request: m.Hello, caller: Caller) -> Answer:
    _check_free(pump, caller, request)
    if not speaks(request):
        raise Refusal(Reason.WRONG_VERSION, 2, request.highest, m.PROTOCOL_VERSION)
    if caller.draw is None or not pump.pairing.secret(request.access):
        raise Refusal(Reason.NOT_PAIRED, 3)
    nonce, outcomes = caller.draw(m.NONCE_SIZE), pump.outcomes
    welcome = m.Welcome(m.PROTOCOL_VERSION, pump.identity.serial, nonce, outcomes)
    return Answer(welcome, partial(caller.greet, (request, welcome)))


def _check_free(pump: Pump, caller: Caller, hello: m.Hello | None) -> None:
    """Whether a session could begin; `hello` is what asks for it, None: nothing did."""
    if caller.keys is not None:
        raise Refusal(Reason.OUT_OF_ORDER)
    if pump.serving is not None and not _takes_over(hello):
        raise Refusal(Reason.BUSY)
    if pump.pairing.locked:
        raise Refusal(Reason.PAIRING_LOCKED, 0, pump.lock_left)


def _takes_over(hello: m.Hello | None) -> bool:
    # An observer never displaces anybody, asked for or not.
    return hello is not None and hello.take_over == 1 and hello.access is Access.CLINICIAN


def _prove(pump: Pump, request: m.Prove, caller: Caller) -> Answer:
    greeting = caller.greeting
    _check_free(pump, caller, greeting and greeting[0])
    if greeting is None:
        raise Refusal(Reason.OUT_OF_ORDER)
    hello, welcome = greeting
    keys = SessionKeys(pump.pairing.secret(hello.access), pump.describe(), hello, welcome)
    if fits(request.proof, keys.prove):
        return Answer(m.Proven(keys.proven), partial(_begin, pump, caller, hello.access, keys))
    reply = refused(request, Refusal(Reason.WRONG_PROOF, 1))
    return Answer(reply, partial(_fail, pump, caller, hello.access))


def _begin(pump: Pump, caller: Caller, access: Access, keys: SessionKeys) -> None:
    caller.greet(None)
    ended = None if pump.serving is None else pump.serving.access
    pump.change(partial(operations.start_session, pump, access, ended))
    # Whoever was served until now is so no longer: their port finds that out, and tells them.
    caller.admit(access, keys)
    pump.serving = caller


def _fail(pump: Pump, caller: Caller, access: Access) -> None:
    # One greeting, one guess.
    caller.greet(None)
    pump.change(partial(operations.fail_proof, pump, access))


COMMANDS: dict[type[Message], Command] = {
    m.Hello: Command(_hello, ANY),
    m.Prove: Command(_prove, ANY),
}
