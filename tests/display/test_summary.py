"""A run on one screen: 24 lines, each frame a column, what to look at, what was asked and known."""

import re

import pytest
from recorded import example_bundle, random_run, run_of, windows_bundle

from mockpump.display import glyphs
from mockpump.display.ladder import Look
from mockpump.display.spans import plain, width_of
from mockpump.display.summary import HEIGHT, summary

RUNS = {
    **{name: run_of(example_bundle(name)) for name in ("bad-link", "two-programmers", "routes")},
    "windows": run_of(windows_bundle()),
    **{f"random {seed}": random_run(seed) for seed in (0, 5, 14, 20)},
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("width", [60, 80, 132])
@pytest.mark.parametrize("style", [glyphs.UNICODE, glyphs.ASCII])
def test_it_has_room_on_a_screen(name: str, width: int, style: glyphs.Glyphs) -> None:
    shown = list(summary(RUNS[name], Look(width=width, glyphs=style)))
    assert len(shown) <= HEIGHT
    assert all(width_of(line) <= width for line in shown)
    assert style is glyphs.UNICODE or all(plain(line).isascii() for line in shown)


def test_each_frame_is_a_column_of_its_sender() -> None:
    run = RUNS["bad-link"]
    shown = [plain(line) for line in summary(run, Look(width=100))]
    rows = {
        side: next(line[13:] for line in shown if line.strip().startswith(f"{side} "))
        for side in ("programmer", "pump")
    }
    for frame in run.frames:
        assert rows[frame.sender][frame.number - 1] != " "
        other = rows["pump" if frame.sender == "programmer" else "programmer"]
        assert other[frame.number - 1 : frame.number].strip() == ""
        clean = frame.count > 1 and not frame.lost and all(a.is_good for a in frame.arrivals)
        if clean and not frame.arrivals[0].garbage and len(frame.arrivals) == 1:
            assert rows[frame.sender][frame.number - 1] == str(frame.count)
    assert rows["programmer"].count(glyphs.UNICODE.lost) == sum(
        bool(frame.lost) for frame in run.frames
    )


def test_what_has_no_room_is_counted() -> None:
    run = RUNS["random 0"]
    shown = [plain(line) for line in summary(run, Look())]
    more = next(int(f[1]) for line in shown if (f := re.search(r"and (\d+) more", line)))
    told = sum(bool(re.match(r"(\(\d+\)|[①-⑳]) +\d+\.\d{3} ", line)) for line in shown)
    assert more + told == len(run.knots)
    assert any("a part: " in line for line in shown)


def test_a_change_has_the_times_at_which_it_was_asked_done_and_known() -> None:
    shown = "\n".join(plain(line) for line in summary(RUNS["bad-link"], Look()))
    for change in RUNS["bad-link"].changes:
        times = [
            f"{t // 1000 / 1000:.3f}" for t in (change.asked, change.done or 0, change.known or 0)
        ]
        assert re.search(rf"{change.name}.* {' +'.join(times)}$", shown, re.MULTILINE)


@pytest.mark.parametrize("width", [60, 80, 132])
def test_what_waited_longest_comes_first_with_the_numbers_of_its_notes(width: int) -> None:
    run = run_of(example_bundle("bad-link", 14))
    shown = [plain(line) for line in summary(run, Look(width=width))]
    waited = next(line for line in shown if line.startswith("waited "))
    assert waited.split(maxsplit=1)[1].startswith("set program 9.1 s ⑥ ⑤ ⑦ (--why 29), call")
    assert any(line.startswith("⑥") and "CommitProgram 7 goes" in line for line in shown)
