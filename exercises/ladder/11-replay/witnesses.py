"""What shows each defect of exercise 11, in a few lines."""

import random

from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.pairing import draw_keys, paired_with
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import Access
from mockpump.protocol.session import BadTag, OldCounter, Opener, Sealer, SessionKeys

_KEYS = draw_keys(random.Random(1).randbytes)
_KEY = bytes(32)


def _opened(opener: Opener, payload: bytes) -> str:
    try:
        return opener.open(payload).hex()
    except (BadTag, OldCounter) as no:
        return type(no).__name__


def _pump() -> Pump:
    memory = RamMemory()
    initialize(memory, PumpConfig(pairing=paired_with(_KEYS)))
    return Pump(memory)


def _greeting(pump: Pump) -> tuple[Peer, SessionKeys]:
    peer = Peer(largest_payload=240, draw=random.Random(2).randbytes)
    hello = m.Hello(1, 1, Access.CLINICIAN, bytes(16))
    welcome = handle(pump, hello, peer)
    assert isinstance(welcome, m.Welcome)
    return peer, SessionKeys(_KEYS[Access.CLINICIAN].secret, pump.describe(), hello, welcome)


def at_once_again() -> str:
    payload, opener = Sealer(_KEY).seal(b"a"), Opener(_KEY)
    opener.open(payload)
    return _opened(opener, payload)


def turned_back() -> str:
    _, keys = _greeting(_pump())
    return _opened(Opener(keys.requests), Sealer(keys.replies).seal(b"a"))


def another_counter() -> str:
    payload = Sealer(_KEY).seal(b"a")
    return _opened(Opener(_KEY), payload[:4] + b"\x07" + payload[5:])


def read_and_said() -> str:
    pump = _pump()
    peer, keys = _greeting(pump)
    handle(pump, m.Prove(keys.prove), peer)
    handle(pump, m.Suspend(1), peer)
    return pump.mode.name


def from_the_first_word() -> bool:
    secret, hello = _KEYS[Access.CLINICIAN].secret, m.Hello(1, 1, Access.CLINICIAN, bytes(16))
    identity = m.Identity(1, 1001, 1, 1, "")
    welcomes = (m.Welcome(1, 1001, each * 16, 0) for each in (b"a", b"b"))
    proofs = {SessionKeys(secret, identity, hello, each).prove for each in welcomes}
    return len(proofs) == 1


def hardly_anything() -> str:
    return _opened(Opener(_KEY), Sealer(_KEY).seal(b"a")[:5])
