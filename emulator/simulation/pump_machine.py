"""A state machine over a whole pump: Hypothesis acts, and the invariants of a campaign look on.

Hypothesis picks rules, with values, one after the other; after each of them the world is looked at,
and at the end the line is healed and must come to rest.  What fails is cut down to the fewest and
simplest steps.  A request goes over the line, as bytes, and is asked again under the same
transaction when its reply is lost: what the pump's log then says is checked against what was asked.
"""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.memory.interface import PowerCut
from mockpump.emulator.programmer.procedures import Procedure, ask, read_program, set_program
from mockpump.emulator.pump.pairing import keys_of
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.simulation.invariants import Watched, hold, unsettled
from mockpump.emulator.simulation.retrying import PumpUnreachable, RetryingProgrammer
from mockpump.emulator.simulation.world import World
from mockpump.emulator.trace.format import PROGRAMMER
from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program
from mockpump.protocol.strategies import programs
from mockpump.protocol.units import WHOLE

_DAY = 86_400
# Pump seconds in a second on the line: slow enough that frames and delivery can interleave.
_SPEED = 600
_VOLUMES = st.integers(1, 400_000)
_SHARES = st.sampled_from([0, WHOLE // 20, WHOLE // 5])
_BIT_ERRORS = st.sampled_from([0, WHOLE // 10_000, WHOLE // 2_000])
_DELAYS = st.sampled_from([0, 20_000, 200_000])
_PROGRAMS = programs(max_patterns=2, max_segments=3, max_steps=2)


class PumpMachine(RuleBasedStateMachine):
    """A pump, a programmer and a bad line between them, for a stateful test of your own.

    `world` holds all three, `self.ask` sends a request.  Volumes in nL, durations in seconds of
    pump time.  Override `new_pump` to have another pump tested, and add `@rule`s and `@invariant`s.
    `InvariantBroken` says which of the invariants does not hold:

    >>> class TwiceABolus(PumpMachine):
    ...     @rule()
    ...     def two_at_once(self):
    ...         for _ in range(2):
    ...             self.ask(m.StartBolus(self.transaction(), m.BolusKind.BOLUS, 1_000, 60))
    >>> from hypothesis.stateful import run_state_machine_as_test
    >>> from hypothesis import settings
    >>> run_state_machine_as_test(TwiceABolus, settings=settings(max_examples=2))
    """

    world: World

    def new_pump(self) -> Pump:
        """The pump of a run, as it comes out of its box."""
        return Pump.new()

    @initialize(seed=st.integers(0, 2**16 - 1))
    def begin(self, seed: int) -> None:
        """A new pump on a good line.  `seed` is that of the line and of all that is drawn."""
        pump = self.new_pump()
        self.world = World(pump, seed=seed, speed=_SPEED, channel=Channel(Impairments(), seed))
        self._watched = Watched(self.world)
        key = keys_of(pump.pairing).get(m.Access.CLINICIAN)
        self._programmer = RetryingProgrammer(self.world, (lambda _: key) if key else None)

    def transaction(self) -> int:
        """A number for the next request that changes the pump, not used before."""
        return self.world.draws.transaction(PROGRAMMER)

    def ask(self, request: Message) -> Message | None:
        """Send a request, again if need be; the reply, or None when the pump cannot be reached."""
        return self._have(partial(ask, request))

    def _have(self, procedure: "partial[Procedure[Any]]") -> Message | None:
        reply: Message | None = None
        for heard in self._programmer.change(procedure):
            reply = heard.reply
        return reply

    # -- requests --------------------------------------------------------------------------------

    @rule(volume=_VOLUMES, duration=st.integers(1, 3 * 3_600))
    def start_bolus(self, volume: int, duration: int) -> None:
        """A bolus on top of the program."""
        self.ask(m.StartBolus(self.transaction(), m.BolusKind.BOLUS, volume, duration))

    @rule()
    def cancel_bolus(self) -> None:
        """End the bolus that runs, if one does."""
        self.ask(m.CancelBolus(self.transaction()))

    @rule(percent=st.integers(0, 250), duration=st.integers(1, 36_000))
    def set_temporary(self, percent: int, duration: int) -> None:
        """Another rate for a while, in percent of the program's."""
        self.ask(m.SetTemporary(self.transaction(), percent, duration))

    @rule(suspended=st.booleans())
    def suspend_or_resume(self, suspended: bool) -> None:
        """Have the pump stand still, or go on."""
        kind = m.Suspend if suspended else m.Resume
        self.ask(kind(self.transaction()))

    @rule(volume=st.integers(1, 20_000_000), concentration=st.integers(1, 1_000))
    def refill(self, volume: int, concentration: int) -> None:
        """Another reservoir: its volume, and the concentration of what is in it (du/mL)."""
        self.ask(m.Refill(self.transaction(), volume, concentration))

    @rule(clock=st.integers(0, 7 * _DAY - 1))
    def set_clock(self, clock: int) -> None:
        """Set the clock, in seconds since Monday at midnight."""
        self.ask(m.SetClock(self.transaction(), clock))

    @rule(program=_PROGRAMS, when=st.sampled_from(m.When))
    def set_program(self, program: Program, when: m.When) -> None:
        """Stage a program, read it back, compare and commit it."""
        try:
            active = self._programmer.read(read_program)
        except PumpUnreachable:
            return
        room = self.world.programmer.connection.max_message
        self._have(partial(set_program, program, active.digest, self.transaction(), room, when))

    @rule()
    def get_status(self) -> None:
        """Ask how the pump is."""
        self.ask(m.GetStatus())

    # -- what happens to them --------------------------------------------------------------------

    @rule(seconds=st.integers(1, _DAY))
    def pass_time(self, seconds: int) -> None:
        """Let the pump live on."""
        self.world.run_until(self.world.pump.elapsed + seconds)

    @rule(loss=_SHARES, duplicate=_SHARES, reorder=_SHARES, ber=_BIT_ERRORS, delay=_DELAYS)
    def impair_line(self, loss: int, duplicate: int, reorder: int, ber: int, delay: int) -> None:
        """From now on the line is that bad: shares in parts per billion, `delay` in us."""
        self.world.impair(
            Impairments(loss=loss, duplicate=duplicate, reorder=reorder, ber=ber, delay=delay)
        )

    @rule()
    def hang_up(self) -> None:
        """End the connection at once; the next request calls the pump again."""
        self.world.hang_up()

    @rule()
    def cut_power(self) -> None:
        """Cut the pump's power, and let it come again."""

        def cut(_: Pump) -> None:
            raise PowerCut

        self.world.server.do(cut, self.world.now)

    # -- what must be so -------------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self) -> None:
        """Every invariant of `mockpump campaign`."""
        hold(self._watched.broken())

    def teardown(self) -> None:
        """With a good line, what is under way comes to its end."""
        hold(unsettled(self.world))
        hold(self._watched.broken())
