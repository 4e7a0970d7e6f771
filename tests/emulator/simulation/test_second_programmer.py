"""A second programmer gets a session when nobody has one, and is told that the pump is busy."""

import random

from paired import KEYS, paired_pump

from mockpump.emulator.simulation.adversary import connect_second_programmer
from mockpump.emulator.simulation.world import World
from mockpump.protocol.keys import PairingKey
from mockpump.protocol.messages.base import Access

CLINICIAN = KEYS[Access.CLINICIAN]


def test_while_the_first_has_a_session_the_second_is_told_so() -> None:
    world = World(paired_pump(), speed=0)
    world.call(lambda _: CLINICIAN)
    assert connect_second_programmer(world, lambda _: CLINICIAN).endswith("busy")
    world.disconnect()
    assert connect_second_programmer(world, lambda _: CLINICIAN) == "it has a session"
    # It has gone again.
    world.call(lambda _: CLINICIAN)
    assert len(world.server.endpoints) == 1


def test_with_a_wrong_key_it_is_told_that() -> None:
    wrong = PairingKey(Access.CLINICIAN, random.Random(5).randbytes(20))
    assert connect_second_programmer(World(paired_pump(), speed=0), lambda _: wrong).endswith(
        "wrong proof"
    )
