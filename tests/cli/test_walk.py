"""Going through a ladder: with a key for each frame, and at a pace; only the view moves."""

import os
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from traced import traced_example

from mockpump.cli import walk
from mockpump.cli.keypress import watched_keys
from mockpump.cli.walk import Walk, number_of, show_walk
from mockpump.display.ladder import Look, ladder
from mockpump.display.spans import Line, plain
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.run import Run


@pytest.fixture(scope="module")
def run() -> Run:
    return read_run(traced_example("handshake").recording)


@pytest.fixture(scope="module")
def drawn(run: Run) -> list[Line]:
    return list(ladder(run, Look()))


def pressed(keys: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What is pressed, key by key; more than that is asked for only by a fault."""
    waiting = iter(keys)
    monkeypatch.setattr(walk.click, "getchar", lambda: next(waiting))
    return waiting


def screens(
    keys: str,
    drawn: list[Line],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> list[list[str]]:
    """What stands on the screen after each key, from the first on."""
    monkeypatch.setenv("LINES", "500")
    left = pressed(keys, monkeypatch)
    show_walk(drawn, run, Walk(steps=True))
    assert list(left) == []
    first, *others = capsys.readouterr().out.split("\x1b[H\x1b[2J\x1b[3J")
    assert first == ""
    return [each.splitlines() for each in others]


def test_each_key_shows_one_frame_more(
    drawn: list[Line], run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = screens("nnnq", drawn, run, monkeypatch, capsys)
    assert [max(numbers(each)) for each in shown] == [1, 2, 3, 4]
    assert all("q quit" in each[-1] for each in shown)


def numbers(screen: list[str]) -> list[int]:
    firsts = (text[:4].strip() for text in screen)
    return [int(first) for first in firsts if first.isdigit()]


def test_going_back_moves_the_view(
    drawn: list[Line], run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = screens("nnbbbnq", drawn, run, monkeypatch, capsys)
    assert [max(numbers(each)) for each in shown] == [1, 2, 3, 2, 1, 1, 2]


def test_going_on_shows_the_rest(
    drawn: list[Line], run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held = keys_while_going_on([], monkeypatch)
    (_, last) = screens("ng", drawn, run, monkeypatch, capsys)
    assert numbers(last) == [1, 2, *range(3, len(run.frames) + 1)]
    assert set(held) == {0.3}


def test_any_key_stops_going_on_and_the_walk_goes_on_from_there(
    drawn: list[Line], run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys_while_going_on([False, False, True], monkeypatch)
    shown = screens("ngbq", drawn, run, monkeypatch, capsys)
    assert [max(numbers(each)) for each in shown] == [1, 4, 4, 3]


def keys_while_going_on(pressed: list[bool], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Whether a key is pressed, step by step; how long each step waited for one."""
    held: list[float] = []
    left = iter(pressed)

    @contextmanager
    def watched() -> Iterator[Callable[[float], bool]]:
        yield lambda seconds: held.append(seconds) or next(left, False)

    monkeypatch.setattr(walk, "watched_keys", watched)
    return held


def test_a_key_on_a_terminal_is_noticed_and_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    with os.fdopen(slave) as keys:
        monkeypatch.setattr("sys.stdin", keys)
        before = termios.tcgetattr(slave)
        with watched_keys() as pressed_within:
            assert not pressed_within(0)
            os.write(master, b"\x1b[C")
            assert pressed_within(10)
            assert not pressed_within(0)
        assert termios.tcgetattr(slave) == before
    os.close(master)


def test_the_last_step_ends_it(
    drawn: list[Line], run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = len({number for line in drawn if (number := number_of(line))}) + 1
    shown = screens("n" * steps, drawn, run, monkeypatch, capsys)
    assert len(shown) == steps


def test_why_tells_the_reason_of_the_newest_frame(
    drawn: list[Line], run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = screens("nw q", drawn, run, monkeypatch, capsys)
    assert any("answers OPEN" in text for text in shown[1])


def test_a_pace_holds_the_display_and_shows_all(
    drawn: list[Line], run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held: list[float] = []
    monkeypatch.setattr(walk.time, "sleep", held.append)
    show_walk(drawn, run, Walk(pace=0.5))
    assert capsys.readouterr().out.splitlines() == [plain(line) for line in drawn]
    assert held == [0.5] * sum(bool(number_of(line)) for line in drawn)
