"""Three processes and a frame that is lost between them: each records and shows what it sees."""

import json
import subprocess
from pathlib import Path

import pytest
from outside import COMMAND, PATIENCE, as_process

from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.trace.join import join
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import Recording, read_trace

pytestmark = pytest.mark.end_to_end


def recorded(path: Path) -> Recording:
    return read_trace(path.read_text("utf-8"))


def test_what_both_ends_have_seen_is_what_the_cable_has_carried(tmp_path: Path) -> None:
    traces = {name: tmp_path / f"{name}.trace" for name in ("pump", "link", "programmer")}
    near = tmp_path / "near"
    # Who has no session has a connection all the same: Identify, in frame 3, is lost once.
    with PumpProcess("--speed", "0", "--open", "--trace", str(traces["pump"])) as pump:
        ends = ("--a", f"pty:{near}", "--b", pump.port)
        watched = ("--show", "--json", "--drop", "3", "--trace", str(traces["link"]))
        command = [*COMMAND, "link", *ends, *watched]
        cable = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert cable.stdout is not None
            assert json.loads(cable.stdout.readline())["a"] == str(near)
            asking = ("programmer", "--port", str(near), "--open")
            asked = as_process(*asking, "status", "--trace", str(traces["programmer"]))
            assert (asked.code, asked.err) == (0, "")
            cable.terminate()
            out, shown = cable.communicate(timeout=PATIENCE)
        finally:
            cable.kill()
            cable.communicate(timeout=PATIENCE)
    assert json.loads(out)["faults"]["drop"]["timeout"] == 1

    on_the_line = read_run(recorded(traces["link"]))
    assert [each.name for each in on_the_line.frames if each.lost] == ["Identify 0"]
    assert on_the_line.frame(3).lost == "drop"
    # Each frame was shown as it went by, on standard error beside JSON.
    assert len(shown.splitlines()) == on_the_line.last
    assert shown.splitlines()[0] == "programmer -> pump  OPEN ack 0"

    joined = read_run(join(recorded(traces["programmer"]), recorded(traces["pump"])))
    sent = {side: [] for side in ("programmer", "pump")}
    for each in on_the_line.frames:
        sent[each.sender].append((each.name, each.count, bool(each.arrivals)))
    for side, frames in sent.items():
        own = [each for each in joined.frames if each.sender == side]
        assert [(each.name, each.count, bool(each.arrivals)) for each in own] == frames
    drawn = as_process("show", str(traces["pump"]), str(traces["programmer"]), "--ascii")
    assert drawn.code == 0
    assert "2nd Identify 0" in drawn.out


def test_the_demonstration_is_recorded_and_every_frame_shown(tmp_path: Path) -> None:
    trace = tmp_path / "demo.trace"
    ended = as_process("demo", "--speed", "max", "--show", "--trace", str(trace))
    assert ended.code == 0
    run = read_run(recorded(trace))
    arrows = ended.out.count("programmer -> pump  ") + ended.out.count("pump -> programmer  ")
    # What ends the connection comes after the last report.
    assert arrows == len([each for each in run.frames if each.kind != "CLOSE"])
    assert ended.out.count("  Telemetry") >= 288


def test_a_scenario_is_recorded_and_its_whole_ladder_shown(tmp_path: Path) -> None:
    trace = tmp_path / "bad-link.trace"
    part, whole = (
        as_process("demo", "bad-link"),
        as_process("demo", "bad-link", "--show", "--trace", str(trace)),
    )
    assert (part.code, whole.code) == (0, 0)
    assert len(whole.out) > 2 * len(part.out)
    assert f"{read_run(recorded(trace)).last} frames: " in whole.out
