"""The actions that are one request each: the pump is asked, and may refuse."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from mockpump.emulator.programmer.preview import FIRST_TO_LAST, WeekTime
from mockpump.emulator.programmer.procedures import Procedure, ask
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.simulation.actions.action import Action, check_amounts, choice_named
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.expectations import check_refusal
from mockpump.emulator.simulation.narration import NarrationLine, said
from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import Message
from mockpump.protocol.units import read_duration, read_week_time, words_of

if TYPE_CHECKING:
    from mockpump.emulator.simulation.runner import ScenarioRunner
    from mockpump.emulator.simulation.scenario import Step


class Request(Action, frozen=True):
    """The base of the actions that are one message, and get one reply."""

    refusable = True
    # The message, whose fields bound those of the action; `renamed`: its names for them.
    carrier: ClassVar[type[Message]]
    renamed: ClassVar[Mapping[str, str]] = {}

    def check(self) -> None:
        """An amount must be one that the message can carry."""
        check_amounts(self.key, self, self.carrier, self.renamed)

    def request(self, pump: Pump, transaction: int) -> tuple[Message, str]:
        """What the pump is asked, and in which words the scenario says so."""
        raise NotImplementedError

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Ask for it."""
        message, words = self.request(runner.world.pump, runner.transaction())
        yield NarrationLine("do", words)
        yield from change(self, runner, step, partial(ask, message))


def change(
    action: Action,
    runner: "ScenarioRunner",
    step: "Step",
    procedure: Callable[[], Procedure[Any]],
) -> Iterator[NarrationLine]:
    """Have a change made, however often the pump must be called for that, and check the reply."""
    reply: Message | None = None
    runner.programmer.reach()
    runner.world.drop_replies = step.lose_reply
    for heard in runner.programmer.change(procedure):
        if heard.text:
            yield NarrationLine("do" if heard.text.startswith("calls") else "pump", heard.text)
        reply = heard.reply
    runner.world.drop_replies = False
    runner.recorder.take(runner.world.pump)
    if reply is not None:
        yield NarrationLine("pump", said(reply))
        check_refusal(action.key, step.refusal, reply)


class _Plain(Request, frozen=True):
    """The base of the requests that say nothing but what they are."""

    example = "true"
    words: ClassVar[str]

    def request(self, pump: Pump, transaction: int) -> tuple[Message, str]:
        """The message with its transaction alone."""
        carrier: Callable[[int], Message] = self.carrier
        return carrier(transaction), self.words


class CancelBolus(_Plain, frozen=True):
    """Cancel the bolus that is being given."""

    key = "cancel_bolus"
    carrier = m.CancelBolus
    words = "cancels the bolus"


class Suspend(_Plain, frozen=True):
    """Suspend delivery."""

    key = "suspend"
    carrier = m.Suspend
    words = "suspends delivery"


class Resume(_Plain, frozen=True):
    """Resume delivery."""

    key = "resume"
    carrier = m.Resume
    words = "resumes delivery"


class Bolus(Request, frozen=True, kw_only=True):
    """Give a bolus: a volume in nL over a time."""

    key = "bolus"
    example = '{ volume = 20_000, over = "1h" }'
    carrier = m.StartBolus
    renamed = {"over": "duration"}

    volume: int
    over: str = "30m"

    def request(self, pump: Pump, transaction: int) -> tuple[Message, str]:
        """A bolus."""
        kind, duration = m.BolusKind.BOLUS, read_duration(self.over)
        message = m.StartBolus(transaction, kind, self.volume, duration)
        return message, f"asks for a bolus of {self.volume:,} nL over {self.over}"


class Temp(Request, frozen=True, kw_only=True):
    """Set a temporary rate: a percentage for a time."""

    key = "temp"
    example = '{ percent = 150, span = "2h" }'
    carrier = m.SetTemporary
    renamed = {"span": "duration"}

    percent: int
    span: str

    def request(self, pump: Pump, transaction: int) -> tuple[Message, str]:
        """A temporary rate."""
        message = m.SetTemporary(transaction, self.percent, read_duration(self.span))
        return message, f"asks for {self.percent} % for {self.span}"


class Refill(Request, frozen=True, kw_only=True):
    """Refill the pump: a volume in nL of a concentration in du/mL."""

    key = "refill"
    example = "{ volume = 10_000_000, concentration = 500 }"
    carrier = m.Refill

    volume: int
    concentration: int

    def request(self, pump: Pump, transaction: int) -> tuple[Message, str]:
        """A refill."""
        message = m.Refill(transaction, self.volume, self.concentration)
        return message, (
            f"refills it: {self.volume:,} nL of {self.concentration} du/mL (fictional)"
        )


class Clock(Request, frozen=True):
    """Set the clock to a time of the week: the nearest one, at most half a week back or ahead;
    ahead where both are as far.  One before the first week of the clock, which begins on a Monday
    at midnight, is an error: begin later (`clock` of `pump`), or let pump time pass before.
    """

    key = "clock"
    example = '"Tue 07:30"'
    carrier = m.SetClock

    time: str

    def check(self) -> None:
        """It must be a time of the week."""
        read_week_time(self.time)

    def request(self, pump: Pump, transaction: int) -> tuple[Message, str]:
        """The nearest time; `ScenarioError` before the first week."""
        wanted = WeekTime(read_week_time(self.time)).near(pump.delivery.clock)
        if wanted < FIRST_TO_LAST.start:
            raise ScenarioError(
                f"clock: the nearest {self.time} is before the first week of the clock; write a "
                f'later time, or let the pump begin later: [pump] clock = "Thu 12:00"'
            )
        return m.SetClock(transaction, wanted), f"sets its clock to {self.time}"


class Ramp(Request, frozen=True):
    """Hold the ramp, let it go on, or step it back."""

    key = "ramp"
    example = '"hold"'
    carrier = m.MoveRamp

    move: Literal["hold", "go-on", "step-back"]

    def request(self, pump: Pump, transaction: int) -> tuple[Message, str]:
        """A move of the ramp."""
        wanted = choice_named(m.RampMove, self.move)
        return m.MoveRamp(transaction, wanted), f"tells the ramp to {words_of(wanted)}"


class Limits(Request, frozen=True, kw_only=True):
    """Set limits; what is left out stays as it is.  nL/h, nL, nL within 24 h, percent."""

    key = "limits"
    example = "{ rate = 90_000, daily = 800_000 }"
    carrier = m.SetLimits

    rate: int | None = None
    bolus: int | None = None
    daily: int | None = None
    rise: int | None = None

    def request(self, pump: Pump, transaction: int) -> tuple[Message, str]:
        """The pump's limits with these."""
        limits = msgspec.structs.astuple(self.in_place_of(pump.delivery.limits))
        return m.SetLimits(transaction, *limits), "sets other limits"

    def in_place_of(self, limits: m.Limits) -> m.Limits:
        """Limits, with what is given here in place of theirs."""
        asked = msgspec.structs.asdict(self)
        given = {name: value for name, value in asked.items() if value is not None}
        return msgspec.structs.replace(limits, **given)


class Acknowledge(Request, frozen=True):
    """Acknowledge an alarm, by its name."""

    key = "acknowledge"
    example = '"low-battery"'
    carrier = m.AcknowledgeAlarm

    alarm: str

    def check(self) -> None:
        """There must be such an alarm."""
        choice_named(m.Alarm, self.alarm)

    def request(self, pump: Pump, transaction: int) -> tuple[Message, str]:
        """An acknowledgement."""
        alarm = choice_named(m.Alarm, self.alarm)
        words = f"acknowledges the alarm: {words_of(alarm)}"
        return m.AcknowledgeAlarm(transaction, alarm), words
