"""The ladder: every frame once, every fault once, never too wide; and small ones that teach."""

import re
from functools import cache
from typing import Literal

import pytest
from recorded import example_bundle, random_run, run_of, trace_of, windows_bundle

from mockpump.display import glyphs
from mockpump.display.ladder import Look, ladder
from mockpump.display.selection import Bound, select
from mockpump.display.spans import plain, width_of
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.run import Run
from mockpump.protocol.framing import Frame, Kind, encode_frame

_FOLD = re.compile(r"(\d+) keep-alives, (\d+) to (\d+)[ ,]")
EXAMPLES = ("bad-link", "bolus-lost-reply", "two-programmers", "replay-attack", "power-cut")


@cache
def runs() -> dict[str, Run]:
    found = {name: run_of(example_bundle(name)) for name in EXAMPLES}
    found["windows"] = run_of(windows_bundle())
    return {**found, **{f"random {seed}": random_run(seed) for seed in (0, 5, 14, 20)}}


NAMES = (*EXAMPLES, "windows", "random 0", "random 5", "random 14", "random 20")


def drawn(run: Run, **options: object) -> list[str]:
    return [plain(each) for each in ladder(run, Look(**options))]  # type: ignore[arg-type]


def rows(shown: list[str]) -> list[str]:
    """The lines below the heading."""
    return shown[next(i for i, line in enumerate(shown) if line.startswith("no.")) + 1 :]


def numbers(shown: list[str], run: Run) -> list[int]:
    """The numbers in the first column, with those that a fold stands for."""
    width = max(3, len(str(len(run.frames))))
    found: list[int] = []
    for line in rows(shown):
        # Notes and narration have a blank first, and a word or a number of another kind then.
        first = line[:width].strip()
        if not re.match(r" *\d+ +\d+\.\d{3} ", line) or not first.isdigit():
            continue
        fold = _FOLD.search(line)
        found += range(int(fold[2]), int(fold[3]) + 1) if fold else [int(first)]
        assert fold is None or int(fold[1]) == int(fold[3]) - int(fold[2]) + 1
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [80, 120])
def test_every_frame_is_drawn_once_and_in_order(name: str, width: int) -> None:
    run = runs()[name]
    assert numbers(drawn(run, width=width), run) == list(range(1, len(run.frames) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_is_drawn_once(name: str) -> None:
    run = runs()[name]
    shown = "\n".join(rows(drawn(run, width=120)))
    stopped = [a for frame in run.frames for a in frame.arrivals if not a.is_good]
    lost = [frame for frame in run.frames if frame.lost]
    assert shown.count(glyphs.UNICODE.lost) == len(stopped) + len(lost)
    late = [a for frame in run.frames for a in frame.arrivals[:1] if "reorder" in a.faults]
    assert shown.count(glyphs.UNICODE.overtaken) >= len(late)
    wavy = [line for line in shown.split("\n") if glyphs.UNICODE.damaged in line]
    # A second arrival is drawn as a head only, where both are in one row.
    harmed = [frame for frame in run.frames if any(a.flips for a in frame.arrivals[:1])]
    assert len(wavy) >= len(harmed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [60, 80, 99, 120, 200])
@pytest.mark.parametrize("windows", [False, True])
def test_no_line_is_wider_than_asked_for(name: str, width: int, windows: bool) -> None:
    for line in ladder(runs()[name], Look(width=width, windows=windows)):
        assert width_of(line) <= width, plain(line)


@pytest.mark.parametrize("name", NAMES)
def test_ascii_is_ascii_and_says_the_same(name: str) -> None:
    run = runs()[name]
    plainly = drawn(run, glyphs=glyphs.ASCII)
    assert all(line.isascii() for line in plainly)
    assert numbers(plainly, run) == numbers(drawn(run), run)


@pytest.mark.parametrize("name", NAMES)
def test_what_to_look_at_is_told_once_before_its_first_frame(name: str) -> None:
    run = runs()[name]
    shown = rows(drawn(run, width=400))
    for knot in run.knots:
        note = f"  {glyphs.UNICODE.number(knot.number)} {knot.title}. {knot.text}"
        told = [i for i, line in enumerate(shown) if line == note]
        assert len(told) == 1, knot
        first = f"{knot.frames[0]:>3} "
        assert any(line.startswith(first) for line in shown[told[0] :])
        assert not any(line.startswith(first) for line in shown[: told[0]])


# -- pinned ----------------------------------------------------------------------------------------


def part(run: Run, first: int, last: int) -> list[str]:
    """The lines of some frames, with time taken away: it is the line's, and not of the drawing."""
    selection = select(run, Bound(first, True), Bound(last, True))
    shown = [plain(each) for each in ladder(run, Look(), selection)]
    return [re.sub(r"^( *\d* +)\d+\.\d{3} ", r"\1", line) for line in rows(shown)]


def test_a_lost_reply_is_told_by_its_cross_its_timer_and_what_is_not_known() -> None:
    assert part(runs()["bolus-lost-reply"], 9, 11) == LOST_REPLY


LOST_REPLY = [
    "  ① StartBolus is done, and not known to be done. The pump does it at 9 ms. Its",
    "    answer is lost six times. For 10 s the programmer does not know, and does",
    "    not guess: it calls again and asks.",
    "  9  │─ StartBolus 3 ──────────────────────────────▶│",
    "     ▓        bolus started: 60,000 nL over 1:00:00 ● Mon 00:00",
    f" 10  ▓              {glyphs.UNICODE.lost}────────────── BolusStarted 3 ─│ lost, as planned",
    "         ⋮ ▓          199 ms: programmer's timer          ┊",
    " 11  ▓═ 2nd StartBolus 3 ══════════════════════════▷│ already here",
]


def test_frames_that_cross_are_seen_to_cross() -> None:
    run = runs()["windows"]
    shown = "\n".join(part(run, 39, 49))
    for look in ("─╮", "╰ 39 ", "╭╌", "┼", "45 ╯", "○▷│ too early: kept"):
        assert look in shown


def test_keep_alives_are_folded_from_four_on() -> None:
    run = runs()["power-cut"]
    assert any("23 keep-alives, 12 to 34" in line for line in drawn(run))
    three = select(run, Bound(12, True), Bound(14, True))
    assert not any("keep-alives" in plain(each) for each in ladder(run, Look(), three))
    four = select(run, Bound(12, True), Bound(15, True))
    assert any("4 keep-alives, 12 to 15" in plain(each) for each in ladder(run, Look(), four))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_met_trouble_is_folded_away(name: str) -> None:
    run = runs()[name]
    for line in drawn(run):
        if fold := _FOLD.search(line):
            for number in range(int(fold[2]), int(fold[3]) + 1):
                assert not run.frame(number).is_troubled


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_byte_is_named(name: str) -> None:
    run = runs()[name]
    shown = "\n".join(rows(drawn(run)))
    single = [
        (arrival.flips[0].byte, arrival.flips[0].bits[0])
        for frame in run.frames
        for arrival in frame.arrivals[:1]
        if len(arrival.flips) == 1
    ]
    assert all(re.search(rf"byte {byte} bits? {bit}", shown) for byte, bit in single)


def test_somebody_else_and_a_second_programmer_are_marked() -> None:
    for name, who in (("two-programmers", "rival ║"), ("replay-attack", "somebody ║")):
        run = runs()[name]
        others = [f for f in run.frames if {f.sender, f.receiver} & {"rival", "somebody"}]
        assert sum(who in line for line in drawn(run)) == len(others) > 0


def test_a_power_cut_and_an_alarm_are_in_their_place() -> None:
    shown = drawn(runs()["power-cut"])
    (cut,) = (i for i, line in enumerate(shown) if "power lost; it starts again" in line)
    (alarm,) = (i for i, line in enumerate(shown) if "alarm restarted: past ▲" in line)
    assert cut < alarm < next(i for i, line in enumerate(shown) if line.startswith("  1 "))


def test_a_filter_says_how_many_frames_it_leaves_out() -> None:
    run = runs()["bad-link"]
    for only in ("faults", "session", "changes"):
        selection = select(run, only=only)
        shown = [plain(each) for each in ladder(run, Look(), selection)]
        hidden = sum(
            int(found[1]) for line in shown if (found := re.search(r"(\d+) other frame", line))
        )
        assert numbers(shown, run) == sorted(selection.frames)
        assert hidden == len(run.frames) - len(selection.frames) > 0


# -- what others have written ----------------------------------------------------------------------

NASTY = "\x1b[2Jred\u202e 漢字 " + "x" * 200


def test_what_others_have_written_neither_commands_nor_breaks_the_drawing() -> None:
    told = [lines.Told(t=0, kind=kind, text=NASTY) for kind in ("say", "do", "pump", "failed")]
    run = read_run(trace_of(*told, title=NASTY))
    for style in (glyphs.UNICODE, glyphs.ASCII):
        shown = list(ladder(run, Look(glyphs=style, subject=NASTY)))
        assert all(plain(line).isprintable() for line in shown)
        assert all(width_of(line) <= 80 for line in shown)
        assert "\\x1b[2Jred\\u202e" in "".join(map(plain, shown))


def sent(at: int, number: int, frame: Frame) -> lines.Sent:
    data = encode_frame(frame).hex()
    return lines.Sent(t=at, id=number, by="programmer", bytes=data)


def test_more_under_way_than_there_are_columns_are_drawn_all_the_same() -> None:
    frames = [Frame(Kind.DATA, 7, seq, 0, payload=b"\0") for seq in range(60)]
    given = [sent(1_000, number, frame) for number, frame in enumerate(frames, start=1)]
    came = [
        lines.Arrived(t=2_000 + place, id=each.id, to="pump", bytes=each.bytes)
        for place, each in enumerate(reversed(given))
    ]
    run = read_run(trace_of(*given, *came))
    assert numbers(drawn(run, width=60), run) == list(range(1, 61))


def test_where_links_stand_is_told_line_by_line_even_in_one_instant() -> None:
    """All of it at 0.000 s: called and answered, a payload each way."""
    offer = bytes.fromhex("00f008")
    talk: list[tuple[Literal["programmer", "pump"], Frame]] = [
        ("programmer", Frame(Kind.OPEN, 7, payload=offer)),
        ("pump", Frame(Kind.OPEN_ACK, 7, payload=offer)),
        ("programmer", Frame(Kind.DATA, 7, 0, 0, payload=b"\0")),
        ("pump", Frame(Kind.DATA, 7, 0, 1, payload=b"\0")),
    ]
    given: list[lines.AnyLine] = []
    for number, (by, frame) in enumerate(talk, start=1):
        data = encode_frame(frame).hex()
        to: Literal["programmer", "pump"] = "pump" if by == "programmer" else "programmer"
        given += [
            lines.Sent(t=0, id=number, by=by, bytes=data),
            lines.Arrived(t=0, id=number, to=to, bytes=data),
        ]
    run = read_run(trace_of(*given))
    assert run.holes == []
    programmers = [state for state in run.states if state.side == "programmer"]
    assert [(state.order, state.link.state) for state in programmers][1:3] == [
        (1, "opening"),
        (4, "open"),
    ]
    assert [(s.order, len(s.link.in_flight)) for s in programmers][-2:] == [(5, 1), (8, 0)]
    shown = [line for line in rows(drawn(run, windows=True)) if "0.000" in line]
    lives = [re.sub(r"[^0-9┊│ ].*[^0-9┊│ ]", "-", line.split("0.000")[1])[:14] for line in shown]
    assert [life.split() for life in lives] == [["┊-┊"], ["┊-│"], ["0", "│-│"], ["0", "│-│", "0"]]


def test_a_trace_that_is_not_whole_says_so_at_the_top() -> None:
    run = read_run(
        trace_of(
            sent(0, 1, Frame(Kind.OPEN, 7, payload=bytes.fromhex("00f008"))),
            lines.Told(t=9_000_000, kind="say", text="much later"),
        )
    )
    assert any("The trace is not whole" in line for line in drawn(run))
    assert numbers(drawn(run), run) == [1]
    assert any("still under way" in line for line in drawn(run))


def test_without_narration_what_was_done_is_told_by_its_name() -> None:
    run = read_run(
        trace_of(
            lines.Began(t=0, id=1, kind="procedure", name="read_log"),
            lines.Programmer(t=5, event="Failed", facts={"error": "nobody answered"}),
            lines.Channel(t=6, impairments={"loss": "5%"}),
        )
    )
    shown = "\n".join(drawn(run))
    for text in ("● read log", "◂ nobody answered", "from now on the line: loss 5%"):
        assert text in shown
