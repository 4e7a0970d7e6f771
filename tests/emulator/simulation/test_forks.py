"""Two runs of one seed with one difference: what is in both goes the same way in both."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from drawn_scenarios import scenarios
from hypothesis import assume, given
from hypothesis import strategies as st
from paired import KEYS, paired_pump

from mockpump.cli.examples import example_program
from mockpump.emulator.channel.channel import Channel, Fault, FaultSpan
from mockpump.emulator.channel.fate import Fate, Fates, Place
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.procedures import ask, read_log
from mockpump.emulator.simulation.campaign import scenario_text
from mockpump.emulator.simulation.invariants import Watched
from mockpump.emulator.simulation.retrying import PumpUnreachable, RetryingProgrammer
from mockpump.emulator.simulation.runner import Library, ScenarioRunner
from mockpump.emulator.simulation.scenario import load_scenario
from mockpump.emulator.simulation.world import World
from mockpump.emulator.trace.writer import TraceWriter
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Kind
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.units import WHOLE

SHARES = st.sampled_from([0, WHOLE // 50, WHOLE // 10])
# What is a matter of line time is not in here: a frame that is sent later meets another line.
LINES = st.builds(
    Impairments,
    baud=st.sampled_from([0, 9_600]),
    delay=st.sampled_from([0, 20_000]),
    jitter=st.sampled_from([0, 30_000]),
    loss=st.sampled_from([WHOLE // 50, WHOLE // 10]),
    ber=st.sampled_from([0, 10**6]),
    truncate=SHARES,
    duplicate=SHARES,
    reorder=SHARES,
    garbage=SHARES,
)
ASKED: dict[str, Callable[[int], Any]] = {
    "clock": lambda number: ask(m.SetClock(number, number)),
    "status": lambda _: ask(m.GetStatus()),
    "log": lambda _: read_log(),
}
COMMANDS = st.lists(st.sampled_from(sorted(ASKED)), min_size=1, max_size=8)
SETTINGS = st.builds(LinkSettings, window=st.sampled_from([1, 8]), max_payload=st.just(64))


class Met(NamedTuple):
    """What a transmission has met: the bytes, what swallowed them, what came of them instead."""

    sent: bytes
    lost: str
    came: list[tuple[bytes, list[tuple[str, int, int]]]]

    @property
    def as_a_whole(self) -> tuple[str, int, set[str]]:
        """What does not depend on the bytes: how it was lost, or how often and how it came."""
        kinds = {kind for _, spans in self.came for kind, _, _ in spans}
        return self.lost, len(self.came), kinds - {"ber"}


class Forked(Fates):
    """The fates of a seed, but for one transmission, which is lost; notes what is asked for."""

    def __init__(self, seed: int, drop: Place | None) -> None:
        super().__init__(seed)
        self._drop = drop
        self.newest: Place | None = None

    def fate(self, place: Place) -> Fate:
        self.newest = place
        fate = super().fate(place)
        return fate._replace(loss=0) if place == self._drop else fate


class Noted(Channel):
    """A channel that notes what every transmission has met."""

    def __init__(self, line: Impairments, seed: int, drop: Place | None = None) -> None:
        self.forked = Forked(seed, drop)
        super().__init__(line, seed, self.forked)
        self.met: dict[Place, Met] = {}
        self._came: list[tuple[bytes, list[tuple[str, int, int]]]] = []

    def send(self, from_programmer: bool, data: bytes, now: int) -> Fault | None:
        self._came = []
        lost = super().send(from_programmer, data, now)
        assert self.forked.newest is not None
        self.met[self.forked.newest] = Met(data, lost.kind.value if lost else "", self._came)
        return lost

    def carry(
        self, at: int, from_programmer: bool, data: bytes, spans: tuple[FaultSpan, ...]
    ) -> None:
        told = [(span.fault.kind.value, span.start, span.end) for span in spans]
        self._came.append((data, told))
        super().carry(at, from_programmer, data, spans)


def run(
    line: Impairments,
    seed: int,
    commands: list[str],
    settings: LinkSettings | None = None,
    drop: Place | None = None,
) -> dict[Place, Met]:
    """These commands over that line, and what every transmission has met."""
    channel = Noted(line, seed, drop)
    world = World(paired_pump(), seed=seed, speed=0, channel=channel, settings=settings)
    clinician = RetryingProgrammer(world, lambda _: KEYS[m.Access.CLINICIAN])
    for number, name in enumerate(commands):
        try:
            clinician.reach()
        except PumpUnreachable:
            continue
        for _ in clinician.change(lambda name=name, number=number: ASKED[name](number)):
            pass
    return channel.met


def assert_alike(one: dict[Place, Met], other: dict[Place, Met], but: Place | None = None) -> int:
    """What is in both has met the same; how many there are."""
    both = [place for place in one if place in other and place != but]
    for place in both:
        assert one[place].as_a_whole == other[place].as_a_whole
        # Where a bit is damaged is seen where there are the same bytes to be damaged.
        assert one[place].sent != other[place].sent or one[place] == other[place]
    return len(both)


@given(LINES, st.integers(0, 1_000), COMMANDS, SETTINGS, st.data())
def test_one_loss_more_changes_nothing_else(
    line: Impairments, seed: int, commands: list[str], settings: LinkSettings, data: st.DataObject
) -> None:
    as_it_was = run(line, seed, commands, settings)
    drop = data.draw(st.sampled_from([place for place in as_it_was if not as_it_was[place].lost]))
    forked = run(line, seed, commands, settings, drop)
    assert forked[drop].lost == "loss"
    assert_alike(as_it_was, forked, drop)


def test_one_loss_more_changes_the_run_all_the_same() -> None:
    """The property above is about something: later frames there are, and a repeated one more."""
    line = Impairments(delay=20_000, loss=WHOLE // 10, ber=10**6, duplicate=WHOLE // 10)
    drop = Place(True, 1, Kind.DATA, 4, 1)
    commands = ["clock", "log", "clock", "status"] * 3
    as_it_was, forked = run(line, 6, commands), run(line, 6, commands, drop=drop)
    assert drop._replace(transmission=2) not in as_it_was
    assert drop._replace(transmission=2) in forked
    later = {place: met for place, met in forked.items() if place.number > 4}
    assert sum(bool(met.lost or met.came[0][1]) for met in later.values()) > 4
    assert assert_alike(as_it_was, later) > 20


@given(LINES, LINES, st.integers(0, 1_000), COMMANDS)
def test_another_share_of_one_impairment_leaves_what_is_lost(
    line: Impairments, other: Impairments, seed: int, commands: list[str]
) -> None:
    """Whatever else is wrong with two lines: what is lost on one is lost on the other."""
    assume(line.loss == other.loss)
    one, two = run(line, seed, commands), run(other, seed, commands)
    assert all(one[place].lost == two[place].lost for place in one.keys() & two.keys())


# -- an added command ------------------------------------------------------------------------------


def told(facts: dict[str, Any], seed: int) -> list[str]:
    """The trace of a scenario."""
    scenario = load_scenario(scenario_text(facts), "x")
    runner = ScenarioRunner(scenario, Library(example_program, RamMemory), seed)
    lines: list[str] = []
    runner.world.record(TraceWriter(lines.append))
    for _ in runner.tell():
        pass
    return lines


ADDED = {
    "asks for a bolus of 123,456 nL over 7m": {
        "bolus": {"volume": 123_456, "over": "7m"},
        "expect": "anything",
    },
    "sets its clock to Tue 03:21": {"clock": "Tue 03:21", "expect": "anything"},
    "a third calls on another line, with the same key": {"rival": "a third"},
}


@given(scenarios(), st.integers(0, 100), st.data())
def test_before_an_added_command_the_run_is_the_same_to_the_byte(
    facts: dict[str, Any], seed: int, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(facts["step"])))
    words = data.draw(st.sampled_from(sorted(ADDED)))
    steps = [*facts["step"][:at], ADDED[words], *facts["step"][at:]]
    forked = told({**facts, "step": steps}, seed)
    lines = [json.loads(line) for line in forked]
    (says,) = (place for place, line in enumerate(lines) if line.get("text") == words)
    begins = max(place for place in range(says) if lines[place]["what"] == "began")
    assert told(facts, seed)[:begins] == forked[:begins]


def asked_for(*steps: dict[str, Any]) -> list[int]:
    """The transactions that the programmer has said on the line, in order."""
    facts = {"format": "mockpump-scenario/1", "name": "x", "title": "x", "step": list(steps)}
    runner = ScenarioRunner(
        load_scenario(scenario_text(facts), "x"), Library(example_program, RamMemory), seed=3
    )
    watch = Watched(runner.world)
    for _ in runner.tell():
        pass
    return list(watch.asked)


@pytest.mark.parametrize("added", [{"rival": "a third"}, {"attack": "guess"}, {"attack": "replay"}])
def test_what_somebody_else_draws_moves_no_transaction(added: dict[str, Any]) -> None:
    # Whoever guesses keys locks everybody out for a minute.
    steps = ({"suspend": True}, {"wait": "61s"}, {"resume": True})
    assert len(asked_for(*steps)) == 2
    assert asked_for(*steps) == asked_for(steps[0], added, *steps[1:])


def test_what_comes_of_a_command_moves_no_transaction() -> None:
    """The first is out of reach, before it has got as far as to begin."""
    program, suspend = {"program": {"name": "week"}}, {"suspend": True}
    *_, alone = asked_for(program, suspend)
    assert asked_for({"channel": {"loss": "100%"}}, program, {"channel": {}}, suspend) == [alone]
