"""Going through a ladder: with a key for each frame, and at a pace; only the view moves."""

from collections.abc import Iterator

import pytest
from traced import traced_example

from mockpump.cli import walk
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
    (_, last) = screens("ng", drawn, run, monkeypatch, capsys)
    assert numbers(last) == [1, 2, *range(3, len(run.frames) + 1)]


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
