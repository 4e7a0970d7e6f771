"""The public API: what `mockpump` names, that it is lazy, and that its own examples are so."""

import ast
import asyncio
import doctest
import inspect
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import find
from outside import pump_thread

import mockpump
import mockpump.aio
import mockpump.errors
import mockpump.fixtures
import mockpump.sansio
import mockpump.serial
import mockpump.testing
from mockpump import Access, LocalProtocolError, Message, Program, Pump, Trace, World
from mockpump import messages as m
from mockpump.emulator.programmer import client
from mockpump.emulator.programmer.programmer import Connected
from mockpump.emulator.pump.pairing import Pairing, draw_keys, paired_with
from mockpump.emulator.transports import drawing
from mockpump.errors import ConnectionLost, NotPaired, PortError, RequestRefused
from mockpump.protocol.messages.base import CATALOGUE, Direction
from mockpump.protocol.strategies import message
from mockpump.reference.client import method_name, source
from mockpump.testing import PumpMachine

ROOT = Path(__file__).resolve().parents[1]
MODULES = (
    mockpump,
    mockpump.aio,
    mockpump.errors,
    mockpump.fixtures,
    mockpump.sansio,
    mockpump.serial,
    mockpump.testing,
)
DEMO = Program.flat("demo", 20_000)


@pytest.mark.parametrize("name", mockpump.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(mockpump, name) is not None
    assert name in dir(mockpump)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_all_that_is_public_is_named_and_described(module: ModuleType) -> None:
    assert module.__doc__
    for name in module.__all__:
        if name != "messages":
            assert inspect.getdoc(getattr(module, name))


def examples() -> Iterator[tuple[str, str]]:
    """The Python that a reader is shown: in documents, and in examples/."""
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        blocks = re.findall("```python\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
        yield from ((path.name, block) for block in blocks)
    yield from ((path.name, path.read_text("utf-8")) for path in ROOT.glob("examples/**/*.py"))


@pytest.mark.parametrize(("place", "code"), list(examples()))
def test_readers_are_shown_public_names_only(place: str, code: str) -> None:
    public = {module.__name__: module.__all__ for module in MODULES}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mockpump"):
            assert {each.name for each in node.names} <= set(public[node.module or ""]), place
        elif isinstance(node, ast.Import):
            own = {each.name for each in node.names if each.name.startswith("mockpump")}
            assert own <= public.keys(), place


@pytest.mark.end_to_end
def test_the_example_project_passes_its_own_tests(tmp_path: Path) -> None:
    """A copy of it: as somebody would have it who begins with it."""
    project = shutil.copytree(ROOT / "examples" / "own_pump", tmp_path / "own_pump")
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines()[-1].startswith("4 passed"), ended.stdout


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pumpe'"):
        mockpump.Pumpe  # noqa: B018 (to ask for it is the test)


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    code = "import mockpump, sys; print(*(each for each in sys.modules if 'mockpump' in each))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["mockpump"]


@pytest.mark.parametrize(
    "module",
    [
        mockpump,
        mockpump.serial,
        *(sys.modules[each.__module__] for each in (Pump, PumpMachine, Trace)),
    ],
    ids=lambda m: m.__name__,
)
def test_the_examples_in_docstrings_are_so(module: ModuleType) -> None:
    done = doctest.testmod(module, extraglobs={"Program": Program})
    assert done.attempted
    assert not done.failed


# -- the clients -----------------------------------------------------------------------------------


def test_the_clients_are_fresh() -> None:
    """When this fails: python -m mockpump.reference.client"""
    assert inspect.getsource(client) == source()


@pytest.mark.parametrize("kind", [client.PumpClient, client.AsyncPumpClient])
def test_there_is_a_method_for_each_request(kind: type) -> None:
    for entry in CATALOGUE.values():
        if entry.direction is Direction.REQUEST and entry.message not in (
            m.Hello,
            m.Prove,
            m.Subscribe,
        ):
            method = inspect.signature(getattr(kind, method_name(entry.name)))
            assert method.return_annotation is entry.reply
            asked = [each for each in entry.message.__struct_fields__ if each != "transaction"]
            assert list(method.parameters) == ["self", *asked]


REQUESTS = [
    each.message
    for each in CATALOGUE.values()
    if each.direction is Direction.REQUEST and each.message not in (m.Hello, m.Prove, m.Subscribe)
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: each.__name__)
def test_each_method_asks_its_own_request(request_: type[Message]) -> None:
    """In both clients, with its arguments in their places and a fresh transaction."""
    expected = find(message(request_), lambda _: True)
    named = msgspec.structs.asdict(expected)
    if "transaction" in named:
        expected = msgspec.structs.replace(expected, transaction=named.pop("transaction") ^ 1)
    number = getattr(expected, "transaction", 0)

    async def awaited(procedure: Any) -> Any:
        return next(procedure)

    terms = Connected(240, 8)
    blocking = client.PumpClient(next, lambda: number, lambda: None, terms)  # type: ignore[arg-type]
    waiting = client.AsyncPumpClient(awaited, lambda: number, lambda: awaited(iter([None])), terms)
    name = method_name(request_.__name__)
    assert getattr(blocking, name)(**named) == expected
    assert asyncio.run(getattr(waiting, name)(**named)) == expected


def test_a_world_is_used_as_the_readme_says() -> None:
    world = World(Pump.new(program=DEMO), speed=3600, seed=7)
    with world.connect() as programmer:
        world.run_until(86_400)
        assert programmer.status().delivered == 480_010
        # The answer was under way for a while, and the pump went on.
        assert world.pump.delivery.delivered == 480_030
        assert programmer.start_bolus(m.BolusKind.BOLUS, 1_000, 60).rate == 60_000
        with pytest.raises(RequestRefused):
            programmer.resume()
        with pytest.raises(LocalProtocolError):
            programmer.set_clock(-1)
        assert programmer.set_program(Program.flat("other", 5)).active
        assert programmer.program().program == Program.flat("other", 5)
        assert programmer.log().entries[0].kind is m.LogKind.MADE
    assert not world.programmer.connection.is_open
    with pytest.raises(ConnectionLost):
        programmer.status()


@pytest.mark.parametrize("access", Access)
def test_a_world_opens_a_session_where_the_pump_has_keys(access: Access) -> None:
    keys = draw_keys(bytes)
    world = World(Pump.new(pairing=paired_with(keys)), speed=0)
    with world.connect(access) as programmer:
        assert programmer.terms.access is access
        assert programmer.identify().serial == 1001


def test_a_world_in_which_no_session_begins_can_be_tried_again() -> None:
    keys = draw_keys(bytes)
    del keys[Access.OBSERVER]
    pairing = Pairing(clinician=keys[Access.CLINICIAN].secret)
    world = World(Pump.new(pairing=pairing), speed=0)
    with pytest.raises(NotPaired):
        world.connect(Access.OBSERVER)
    with world.connect() as programmer:
        assert programmer.terms.access is Access.CLINICIAN


def test_what_is_asked_when_the_client_closes_ends_as_lost_here() -> None:
    async def main() -> None:
        async with mockpump.aio.serve_pump(Pump.new(), speed=0) as served:
            programmer = await mockpump.aio.connect(served.host, served.port)
            asked = asyncio.create_task(programmer.status())
            await asyncio.sleep(0)
            await programmer.close()
            with pytest.raises(PortError, match="closed here"):
                await asked

    asyncio.run(main())


def test_an_id_that_the_pump_has_had_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([7, 7, 8])
    monkeypatch.setattr(drawing, "connection_id", lambda: next(drawn))
    with pump_thread() as pump:
        for _ in range(2):
            with mockpump.serial.connect(pump.path) as programmer:
                assert programmer.status().delivered == 0


def test_a_pump_that_is_served_is_called_over_tcp() -> None:
    async def main() -> None:
        pump = Pump.new(program=DEMO)
        async with (
            mockpump.aio.serve_pump(pump, speed=0) as served,
            await mockpump.aio.connect(served.host, served.port) as programmer,
        ):
            assert (await programmer.suspend()).elapsed == 0
            assert pump.mode is (await programmer.status()).mode is m.Mode.SUSPENDED

    asyncio.run(main())


def test_a_session_over_tcp_takes_a_key_as_it_is_printed() -> None:
    keys = draw_keys(bytes)

    async def main() -> None:
        pump = Pump.new(pairing=paired_with(keys))
        async with mockpump.aio.serve_pump(pump, speed=0) as served:
            key = keys[Access.OBSERVER].text
            async with await mockpump.aio.connect(served.host, served.port, key) as programmer:
                assert programmer.terms.access is Access.OBSERVER
                with pytest.raises(RequestRefused):
                    await programmer.suspend()

    asyncio.run(main())


def test_a_serial_port_is_closed_when_nobody_answers() -> None:
    with pytest.raises(ConnectionLost), mockpump.serial.connect("loop://"):
        pass
