"""docs/SCENARIOS.md and CHANNEL.md: sentences that say what happens, each shown by a run.

As in `test_protocol_prose`, a sentence that is changed or taken out fails here too.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from outside import Command, in_process

from mockpump.emulator.channel.channel import MOST_UNDER_WAY, Channel, FaultKind
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.schedule import DAY, WEEK
from mockpump.emulator.simulation.actions.requests import Clock
from mockpump.emulator.simulation.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.units import WHOLE

HEAD = 'format = "mockpump-scenario/1"\nname = "x"\ntitle = "X"\n'
DOCS = Path(__file__).resolve().parents[1] / "docs"


def text_of(name: str) -> str:
    return " ".join((DOCS / name).read_text("utf-8").split())


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """`mockpump run` of a scenario with these tables."""
    command = in_process(capsys, monkeypatch)

    def tell(tables: str, *options: str) -> object:
        file = tmp_path / "x.toml"
        file.write_text(HEAD + tables, "utf-8")
        return command("run", str(file), *options)

    return tell  # type: ignore[return-value]


def beginning(run: Command) -> None:
    ended = run("[pump]\nlimits = { rate = 1 }\n[[step]]\nsay = 'x'\n")
    assert (ended.code, ended.out) == (2, "")


def expecting(run: Command) -> None:
    ended = run("[[step]]\nexpect = { mode = 'stopped' }\n")
    assert ended.code == 1


def last_line(run: Command) -> None:
    ended = run("[[step]]\nsay = 'x'\n", "--json")
    assert list(json.loads(ended.out.splitlines()[-1])) == ["seed", "faults", "failure"]


def unknown_key(run: Command) -> None:
    ended = run("[[step]]\nsuspnd = true\n")
    assert ended.code == 2
    assert "did you mean `suspend`?" in ended.line


def near_clock(run: Command) -> None:
    for elapsed, text, target in [
        (WEEK + 60, "Sun 23:50", WEEK - 600),
        (2 * WEEK, "Thu 12:00", 2 * WEEK + 3 * DAY + 12 * 3_600),
        (2 * WEEK + 60, "Thu 12:02", WEEK + 3 * DAY + 12 * 3_600 + 120),
    ]:
        pump = new_pump()
        pump.advance(elapsed)
        request, _ = Clock(text).request(pump, 1)
        assert isinstance(request, m.SetClock)
        assert request.clock == target


def before_the_first_week(run: Command) -> None:
    early = "[[step]]\nlive = '1h'\n[[step]]\nclock = 'Sun 23:00'\n"
    ended = run(early)
    assert ended.code == 2
    assert "clock: the nearest Sun 23:00 is before the first week of the clock" in ended.line
    assert ended.line.endswith('[pump] clock = "Thu 12:00"')
    assert run(early + '[pump]\nclock = "Thu 12:00"\n').code == 0
    assert run("[[step]]\nlive = '7d'\n" + early).code == 0


SCENARIOS: dict[str, Callable[[Command], None]] = {
    "says so before it begins, with exit code 2.": beginning,
    "What an `expect` says and is not so ends the run with exit code 1;": expecting,
    'With `--json` the last line is `{"seed", "faults", "failure"}`': last_line,
    "A key that nobody knows is an error that names the nearest right one.": unknown_key,
    "the nearest one, at most half a week back or ahead; ahead where both are as far.": near_clock,
    "One before the first week of the clock, which begins on a Monday at midnight, is an error: "
    "begin later (`clock` of `pump`), or let pump time pass before": before_the_first_week,
}


@pytest.mark.parametrize("sentence", SCENARIOS, ids=lambda each: each[:40])
def test_what_the_guide_to_scenarios_says_is_so(run: Command, sentence: str) -> None:
    assert sentence in text_of("SCENARIOS.md")
    SCENARIOS[sentence](run)


def each_a_chunk() -> None:
    heard: list[bytes] = []
    world = World(channel=Channel(Impairments()))
    world.connect()
    frames = [encode_frame(Frame(Kind.ACK, 9, seq=each)) for each in range(3)]
    world.channel.send = lambda _, chunk, now: heard.append(chunk)  # type: ignore[method-assign]
    world._ship(True, b"".join(frames))
    assert heard == frames


def lost_takes_time() -> None:
    channel = Channel(Impairments(baud=10, loss=WHOLE))
    channel.send(True, bytes(5), 0)
    channel.heal()
    channel.send(True, b"x", 0)
    assert channel.next_deadline() == 6_000_000


def at_most_so_much() -> None:
    channel = Channel(Impairments(baud=1))
    assert channel.send(True, bytes(MOST_UNDER_WAY), 0) is None
    fault = channel.send(True, b"x", 0)
    assert fault is not None
    assert fault.kind is FaultKind.OVERFLOW
    assert channel.send(False, b"x", 0) is None


CHANNEL: dict[str, Callable[[], None]] = {
    "Where several frames are given together each is a chunk of its own.": each_a_chunk,
    "What is lost on the way has taken its time on the line all the same.": lost_takes_time,
    "At most 1,000,000 bytes are under way in one direction;": at_most_so_much,
}


@pytest.mark.parametrize("sentence", CHANNEL, ids=lambda each: each[:40])
def test_what_the_guide_to_bad_lines_says_is_so(sentence: str) -> None:
    assert sentence in text_of("CHANNEL.md")
    CHANNEL[sentence]()
