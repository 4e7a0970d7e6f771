"""A second programmer, which calls on a line of its own while the first has the pump."""

from collections.abc import Iterator

from mockpump.emulator.programmer.handshake import FindKey, open_session
from mockpump.emulator.programmer.programmer import Connected, Failed, Programmer, ProgrammerEvent
from mockpump.emulator.simulation.draws import RIVAL
from mockpump.emulator.simulation.world import World

_ROUNDS = 50


def connect_second_programmer(world: World, find_key: FindKey, take_over: bool = False) -> str:
    """Call a world's pump on a line that is good and quick; what came of it, in words.

    `take_over`: end the session that somebody else has with it.
    """
    port = world.server.attach()
    rival = Programmer()
    opening = open_session(find_key, world.draws.nonce(RIVAL), take_over=take_over)
    rival.connect(world.draws.connection(RIVAL), world.now, opening)
    found = "nobody answers"
    for _ in range(_ROUNDS):
        world.server.receive_data(port, rival.data_to_send(world.now), world.now)
        rival.receive_data(port.data_to_send(world.now), world.now)
        for event in _events(rival):
            if isinstance(event, Connected):
                found = "it has a session"
            elif isinstance(event, Failed):
                found = str(event.error)
    world.server.detach(port)
    return found


def _events(programmer: Programmer) -> Iterator[ProgrammerEvent]:
    while (event := programmer.next_event()) is not None:
        yield event
