"""Each invariant can be broken, and says so; a good run breaks none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from paired import KEYS, paired_pump

from mockpump.cli.wire.explain import EVERY_BLOCK
from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.pump import faults, operations
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.limits import WIDEST
from mockpump.emulator.pump.overrides import Bolus
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.strangers import MOST_BETWEEN, NOBODY
from mockpump.emulator.simulation.invariants import INVARIANTS, Watched, unsettled
from mockpump.emulator.simulation.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.messages import LogKind
from mockpump.protocol.messages.base import Access
from mockpump.protocol.program import UNITS_PER_NL, Program
from mockpump.protocol.units import WHOLE
from mockpump.reference.markdown import render


def checked() -> Watched:
    world = World(paired_pump(), speed=0)
    it = Watched(world)
    world.call(lambda _: KEYS[Access.CLINICIAN])
    world.run(ask(m.StartBolus(1, m.BolusKind.BOLUS, 20_000, 3_600)))
    world.run(ask(m.GetStatus()))
    return it


def test_a_good_run_breaks_none() -> None:
    it = checked()
    assert list(it.broken()) == []
    it.world.set_speed(3_600)
    it.world.run_until(86_400)
    assert list(it.broken()) == []
    assert list(unsettled(it.world)) == []


def twice(it: Watched) -> None:
    pump = it.world.pump
    pump.change(lambda: operations.start_bolus(pump, Bolus(m.BolusKind.BOLUS, 1_000, 60, 0)))


def otherwise(it: Watched) -> None:
    it.asked[1] = m.StartBolus(1, m.BolusKind.BOLUS, 999, 3_600)


def leak(it: Watched) -> None:
    """Done with a patch: the catheter is one with slots."""


def washed(it: Watched) -> None:
    """This many entries as no pump writes that counts strangers' tries."""
    pump = it.world.pump
    for _ in range(MOST_BETWEEN + 1):
        pump.journal.strangers = NOBODY
        pump.change(lambda: pump.log(LogKind.TURNED_AWAY, 20, 1))


def beyond(it: Watched) -> None:
    d = it.world.pump.delivery
    d.limits = replace(d.limits, rate=1)


def another(it: Watched) -> None:
    it.digests.clear()


def unchained(it: Watched) -> None:
    it.world.pump.memory._log._rows[0] ^= 1  # type: ignore[attr-defined]


def foresee(it: Watched) -> None:
    it.world.programmer.belief.delivered = 10**9


def hoard(it: Watched) -> None:
    it.world.port.peer.staging.data = bytes(10_000)


BREAKING: dict[str, Callable[[Watched], None]] = {
    "exactly-once": twice,
    "authorised": otherwise,
    "conserved": leak,
    "limits": beyond,
    "atomic": another,
    "chain": unchained,
    "log": washed,
    "belief": foresee,
    "bounded": hoard,
}


def test_each_is_broken_here() -> None:
    assert [each.name for each in INVARIANTS] == list(BREAKING)


@pytest.mark.parametrize("name", BREAKING)
def test_when_it_is_broken_it_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    it = checked()
    if name == "conserved":
        kind = type(it.world.pump.catheter)
        monkeypatch.setattr(kind, "arrived", lambda self, due: due + 1)
    else:
        BREAKING[name](it)
    assert {fault.split(":")[0] for fault in it.broken()} == {name}


def full_of_fear() -> Watched:
    """A pump whose program alone fills the 24 h, and that has started anew twice."""
    memory = RamMemory()
    limits = replace(WIDEST, daily=86_400)
    initialize(
        memory,
        PumpConfig(program=Program.flat("f", 3_600), limits=limits, pairing=paired_pump().pairing),
    )
    world = World(Pump(memory), speed=0)
    it = Watched(world)
    world.pump.advance(100_000)
    for _ in range(2):
        world.server.reboot(world.now)
    return it


def test_what_is_only_feared_after_a_power_cut_breaks_no_limit() -> None:
    it = full_of_fear()
    pump = it.world.pump
    assert pump.delivery.last_day > 86_400 * UNITS_PER_NL
    assert pump.mode is m.Mode.FAULT
    assert list(it.broken()) == []
    pump.delivery.limits = replace(pump.delivery.limits, daily=86_000)
    assert [each.split(":")[0] for each in it.broken()] == ["limits"]


def test_what_was_told_before_a_power_cut_may_be_believed_after_it() -> None:
    it = checked()
    world = it.world
    world.set_speed(1)
    world.run_until(59)
    told = world.run(ask(m.GetStatus())).delivered
    world.server.reboot(world.now)
    assert world.pump.delivery.delivered < told == world.programmer.belief.delivered
    assert list(it.broken()) == []
    world.programmer.belief.delivered = told + 10
    assert [each.split(":")[0] for each in it.broken()] == ["belief"]


def test_a_clock_that_jumped_was_not_set() -> None:
    it = checked()
    faults.inject(it.world.pump, faults.Fault.CLOCK_JUMP)
    assert list(it.broken()) == []
    clock = it.world.pump.delivery.clock
    it.world.pump.change(lambda: operations.set_clock(it.world.pump, clock + 60))
    assert [each.split(":")[0] for each in it.broken()] == ["exactly-once"]


def test_a_pump_that_never_had_a_program_breaks_none() -> None:
    it = Watched(World(new_pump(program=None), speed=0))
    assert list(it.broken()) == []


def test_a_line_that_never_settles_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(paired_pump(), speed=0, channel=Channel(Impairments()))
    world.call(lambda _: KEYS[Access.CLINICIAN])
    world.impair(Impairments(loss=WHOLE))
    monkeypatch.setattr(type(world.channel), "heal", lambda self: None)
    monkeypatch.setattr("mockpump.emulator.simulation.invariants._PATIENCE", 1_000)
    world.programmer.start(ask(m.GetStatus()), world.now)
    assert any("not acknowledged" in fault for fault in unsettled(world))


def test_the_table_in_the_guide_is_fresh() -> None:
    """When this fails: mockpump wire spec docs/SCENARIOS.md"""
    guide = (Path(__file__).resolve().parents[3] / "docs" / "SCENARIOS.md").read_text("utf-8")
    assert render(guide, EVERY_BLOCK) == guide
    assert all(f"`{each.name}`" in guide for each in INVARIANTS)
