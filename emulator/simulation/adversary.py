"""Whoever else is on the line: an attacker who listens and injects, and a second programmer."""

from collections import Counter
from collections.abc import Callable, Iterator

from mockpump.emulator.programmer.errors import ProgrammerError, SessionRefused
from mockpump.emulator.programmer.handshake import FindKey, open_session
from mockpump.emulator.programmer.programmer import Connected, Failed, Programmer, ProgrammerEvent
from mockpump.emulator.simulation.world import ATTACKER, World
from mockpump.emulator.trace.format import PUMP, RIVAL
from mockpump.protocol import messages as m
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.keys import SECRET_SIZE, PairingKey
from mockpump.protocol.link.types import Role
from mockpump.protocol.session import is_sealed, split_seal
from mockpump.protocol.units import words_of

_ROUNDS = 200


class Adversary:
    """It listens on a world's line from when it is made, and may put bytes on it."""

    def __init__(self, world: World) -> None:
        self.world = world
        # What went by, and from whom, that it has made nothing of yet.
        self._bytes: list[tuple[bool, bytes]] = []
        self._frames: list[tuple[bool, Frame]] = []
        self._decoders = {way: FrameDecoder() for way in (True, False)}
        world.taps.append(self._hear)

    def _hear(self, from_programmer: bool, data: bytes) -> None:
        self._bytes.append((from_programmer, data))

    def _data_frames(self) -> list[tuple[bool, Frame]]:
        """The data frames that went by, and from whom: read when it wants to know, not before."""
        for from_programmer, data in self._bytes:
            for found in self._decoders[from_programmer].receive_data(data):
                if isinstance(found, Frame) and found.kind is Kind.DATA:
                    self._frames.append((from_programmer, found))
        self._bytes.clear()
        return self._frames

    @property
    def heard(self) -> list[tuple[bool, bytes]]:
        """The payloads that went by, and from whom."""
        return [(from_programmer, frame.payload) for from_programmer, frame in self._data_frames()]

    def listen(self) -> Iterator[str]:
        """What it has read on the line: everything, because nothing is hidden."""
        heard = self.heard
        names = Counter(_name(payload) for _, payload in heard)
        sealed = sum(is_sealed(payload) for _, payload in heard)
        yield f"it has read {len(heard)} messages, {sealed} of them sealed, and all readable"
        yield ", ".join(f"{count} {name}" for name, count in sorted(names.items()))

    def replay(self) -> Iterator[str]:
        """Everything the programmer ever said, said again in a connection of its own."""
        mine = [payload for from_programmer, payload in self.heard if from_programmer]
        yield f"it says all {len(mine)} payloads of the programmer again, in good frames"
        yield _counted(self._say(mine))

    def unsealed(self) -> Iterator[str]:
        """The commands it has read, without their seals."""
        mine = [split_seal(payload)[1] for way, payload in self.heard if way and is_sealed(payload)]
        yield f"it says {len(mine)} of the messages again, without their seals"
        yield _counted(self._say(mine))

    def inject(self) -> Iterator[str]:
        """A command of its own in the clinician's connection, with the numbers that come next."""
        frames = [frame for way, frame in self._data_frames() if way]
        last = frames[-1]
        forged = Frame(
            Kind.DATA,
            last.connection,
            (last.seq + 1) % 256,
            last.ack,
            payload=m.encode(m.Suspend(666)),
        )
        yield "it puts a Suspend of its own into the clinician's connection"
        self.world.inject(encode_frame(forged))
        yield f"the pump is {self.world.pump.mode.name.lower()} all the same"

    def guess(self) -> Iterator[str]:
        """Keys drawn at random, proved one after the other."""
        said: Counter[str] = Counter()
        self.world.hang_up()
        draw = self.world.draws.source(ATTACKER, "key")
        for _ in range(7):
            key = PairingKey(m.Access.CLINICIAN, draw(SECRET_SIZE))
            said[self._prove(key)] += 1
        yield "it guesses seven keys"
        yield ", ".join(f"{count} times {words}" for words, count in said.items())

    def _prove(self, key: PairingKey) -> str:
        try:
            self.world.call(lambda _: key, who=ATTACKER)
        except SessionRefused as no:
            return _words(no.refused)
        except ProgrammerError:
            return "nobody answers"
        finally:
            self.world.hang_up()
        return "it is in"

    def _say(self, payloads: list[bytes]) -> Counter[str]:
        """Say payloads in a fresh connection, each in a frame; what came back, counted."""
        connection, said = Connection(Role.INITIATOR), Counter[str]()
        connection.open(self.world.draws.connection(ATTACKER), self.world.now)
        waiting = list(payloads)
        for _ in range(_ROUNDS + len(payloads)):
            while waiting and connection.is_open and connection.link.room:
                connection.link.send(waiting.pop(0), self.world.now)
            out = connection.data_to_send(self.world.now)
            back = self.world.inject(out)
            connection.receive_data(back, self.world.now)
            while (event := connection.next_event()) is not None:
                if isinstance(event, MessageReceived):
                    said[_words(event.message)] += 1
            if not out and not back and not waiting:
                break
        connection.abort(self.world.now)
        self.world.inject(connection.data_to_send(self.world.now))
        return said


def _name(payload: bytes) -> str:
    try:
        return type(m.decode(split_seal(payload)[1])).__name__
    except DecodeError:
        return "what is not a message"


def _words(message: object) -> str:
    if isinstance(message, m.Refused):
        return f"refused, {words_of(message.reason)}"
    return f"answered with {type(message).__name__}"


def _counted(said: Counter[str]) -> str:
    return ", ".join(f"{count} {words}" for words, count in sorted(said.items())) or "no answer"


TRICKS: dict[str, Callable[[Adversary], Iterator[str]]] = {
    "listen": Adversary.listen,
    "replay": Adversary.replay,
    "unsealed": Adversary.unsealed,
    "inject": Adversary.inject,
    "guess": Adversary.guess,
}


_TURNS_BESIDE = 50


def connect_second_programmer(world: World, find_key: FindKey, take_over: bool = False) -> str:
    """Call a world's pump on a line that is good and quick; what came of it, in words.

    `take_over`: end the session that somebody else has with it.
    """
    port, line = world.server.attach(), world.second_line()
    rival = Programmer()
    opening = open_session(find_key, world.draws.nonce(RIVAL), take_over=take_over)
    rival.connect(world.draws.connection(RIVAL), world.now, opening)
    found = "nobody answers"
    for _ in range(_TURNS_BESIDE):
        said = rival.data_to_send(world.now)
        world.passed(RIVAL, PUMP, said, line)
        world.server.receive_data(port, said, world.now)
        answered = port.data_to_send(world.now)
        world.passed(PUMP, RIVAL, answered, line)
        rival.receive_data(answered, world.now)
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
