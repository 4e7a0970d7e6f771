"""`run` and `replay` as a user meets them."""

import json
from pathlib import Path
from typing import Any

import pytest
from outside import Command, as_process, in_process

from mockpump.cli.examples import program_text, scenario_text
from mockpump.protocol import toml_text

HEAD = 'format = "mockpump-scenario/1"\nname = "x"\ntitle = "X"\n'


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


def scenario(tmp_path: Path, text: str) -> str:
    file = tmp_path / "x.toml"
    file.write_text(HEAD + text, "utf-8")
    return str(file)


def test_a_run_that_was_recorded_is_identical_when_it_is_run_again(
    command: Command, tmp_path: Path
) -> None:
    bundle = str(tmp_path / "run.bundle")
    ended = command("run", "bad-link", "--seed", "7", "--record", bundle)
    assert ended.code == 0
    assert "all expectations met" in ended.out
    assert "fictional" in ended.out
    assert all(len(line) <= 80 for line in ended.out.splitlines())
    again = command("replay", bundle)
    assert again.code == 0
    assert again.out.startswith("identical: ")
    facts = json.loads(command("replay", bundle, "--json").out)
    assert facts["differs_from"] is None
    assert facts["sha256"].startswith(again.out.split()[-1].removesuffix("..."))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were parsed, each as often as it was."""
    texts: list[str] = []
    parse = toml_text.parse

    def counting(text: bytes | str, most: int) -> dict[str, Any]:
        texts.append(text if isinstance(text, str) else text.decode())
        return parse(text, most)

    monkeypatch.setattr(toml_text, "parse", counting)
    return texts


def test_a_run_and_a_replay_read_each_text_once(
    command: Command, tmp_path: Path, parsed: list[str]
) -> None:
    text = "[pump]\nprogram = 'week'\n[[step]]\npower_cut = { name = 'day' }\n"
    file, bundle = scenario(tmp_path, text), str(tmp_path / "run.bundle")
    for arguments in (("run", file, "--record", bundle), ("replay", bundle)):
        assert command(*arguments).code == 0
        assert sorted(parsed) == sorted([HEAD + text, program_text("day"), program_text("week")])
        parsed.clear()


def test_a_demo_reads_its_scenario_once(command: Command, parsed: list[str]) -> None:
    assert command("demo", "clock").code == 0
    assert parsed.count(scenario_text("clock")) == 1


def test_a_run_that_is_cut_short_leaves_the_old_bundle(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "run.bundle"
    command("run", "clock", "--record", str(bundle))
    before = bundle.read_bytes()

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mockpump.cli.scenario.show_told", interrupted)
    assert command("run", "clock", "--seed", "5", "--record", str(bundle)).code == 130
    assert bundle.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [bundle.name]


def test_what_a_link_leads_to_is_replaced_and_not_the_link(
    command: Command, tmp_path: Path
) -> None:
    bundle, link = tmp_path / "run.bundle", tmp_path / "link"
    link.symlink_to(bundle)
    command("run", "clock", "--record", str(link))
    assert link.is_symlink()
    assert bundle.is_file()
    assert {each.name for each in tmp_path.iterdir()} == {"run.bundle", "link"}


def test_a_file_beside_the_bundle_is_left_alone(command: Command, tmp_path: Path) -> None:
    bundle, beside = tmp_path / "run.bundle", tmp_path / "run.bundle.part"
    beside.write_bytes(b"somebody's")
    assert command("run", "clock", "--record", str(bundle)).code == 0
    assert beside.read_bytes() == b"somebody's"
    assert command("replay", str(bundle)).code == 0


def test_as_json_every_line_is_an_object(command: Command) -> None:
    ended = command("run", "bad-link", "--seed", "7", "--json")
    facts = [json.loads(line) for line in ended.out.splitlines()]
    assert {"say", "do", "pump"} == {each["kind"] for each in facts[:-1]}
    assert facts[-1]["seed"] == 7
    assert facts[-1]["faults"]
    assert facts[-1]["failure"] is None


def test_what_is_expected_and_not_so_is_exit_code_1(command: Command, tmp_path: Path) -> None:
    file = scenario(tmp_path, '[[step]]\nlive = "1h"\nexpect = { mode = "fault", boluses = 2 }\n')
    bundle = str(tmp_path / "run.bundle")
    ended = command("run", file, "--record", bundle)
    assert ended.code == 1
    why = "mode fault, got running; boluses 2, got 0"
    assert why in ended.line
    assert "seed 0: it broke off" in ended.out
    told = [json.loads(line) for line in command("run", file, "--json").out.splitlines()]
    assert why in told[-1]["failure"]
    assert told[-1]["seed"] == 0
    assert command("replay", bundle).code == 0


def test_a_divergence_is_shown_with_what_came_before(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = str(tmp_path / "run.bundle")
    command("run", "bad-link", "--record", bundle)
    monkeypatch.setattr("mockpump.emulator.trace.writer.PUMP", "you")
    ended = command("replay", bundle)
    assert ended.code == 1
    assert "recorded  " in ended.out
    assert '"to":"pump"' in ended.out
    assert '"to":"you"' in ended.out
    assert "not identical from line 10 on" in ended.line
    ended = command("replay", bundle, "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["differs_from"] == 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "step"),
        ("[chanel]\n[[step]]\nsay = 'x'\n", "did you mean `channel`"),
        ("[channel]\nlos = '5%'\n[[step]]\nsay = 'x'\n", "did you mean 'loss'"),
        ("[channel]\nloss = '500%'\n[[step]]\nsay = 'x'\n", "loss: "),
        ("[[step]]\nsay = 'x'\nat = 'soon'\n", "invalid duration 'soon'"),
        ("[[step]]\nchannel = { x = 1 }\n", "unknown key 'x'"),
        ("[pump]\nprogram = 'nothing'\n[[step]]\nsay = 'x'\n", 'no program "nothing"'),
        ("[[step]]\n", "neither says nor does"),
    ],
)
def test_a_scenario_that_cannot_be_run_is_one_line(
    command: Command, tmp_path: Path, text: str, said: str
) -> None:
    ended = command("run", scenario(tmp_path, text))
    assert ended.code == 2
    assert said in ended.line


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_no_scenario_names_the_examples(command: Command, name: str) -> None:
    ended = command("run", name)
    assert ended.code == 2
    assert "bad-link" in ended.line


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"{}\n{}\n"])
def test_no_bundle_is_one_line(command: Command, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "x.bundle"
    if content is not None:
        file.write_bytes(content)
    ended = command("replay", str(file))
    assert ended.code == 2
    assert str(file) in ended.line


def test_a_step_waits_until_the_pump_is_old_enough(command: Command, tmp_path: Path) -> None:
    text = '[[step]]\nat = "2h"\nsuspend = true\n[[step]]\nat = "3h"\nshow = "log"\n'
    ended = command("run", scenario(tmp_path, text))
    assert "Mon 02:00  suspended" in ended.out


@pytest.mark.parametrize(
    ("pump", "fault"),
    [
        ("limits = { rate = 10 }", "the program breaks a limit: limit rate (60,000; allowed: 10)"),
        ("drift = 900_000", "a drift of 900000 ppm"),
        ("concentration = 70_000", "70000 is not 0..65535"),
        ("reservoir = -5", "-5 is not 0.."),
    ],
)
def test_what_cannot_begin_says_so_before_it_begins(
    command: Command, tmp_path: Path, pump: str, fault: str
) -> None:
    bundle = tmp_path / "run.bundle"
    text = f"[pump]\n{pump}\n[[step]]\nsay = 'x'\n"
    ended = command("run", scenario(tmp_path, text), "--record", str(bundle))
    assert (ended.code, ended.out) == (2, "")
    assert ended.line.startswith("mockpump: x: it cannot begin: ")
    assert fault in ended.line
    assert not bundle.exists()


FULL = """
[pump]
limits = { daily = 753_760 }
[[step]]
live = "30h"
[[step]]
reboot = true
[[step]]
expect = { mode = "fault", alarms = ["limit_reached", "restarted"] }
[[step]]
live = "1m"
"""
SLOW = """
[channel]
{}
[[step]]
suspend = true
[[step]]
live = "1h"
"""
FAULTS = """
[[step]]
fault = "clock-jump"
[[step]]
clock = "Mon 09:00"
[[step]]
fault = "memory"
[[step]]
fault = "stall"
[[step]]
clear = "stall"
[[step]]
clear = "memory"
[[step]]
live = "1h"
"""


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        FAULTS,
        *(
            SLOW.format(line)
            for line in (
                "baud = 1",
                "baud = 12",
                'baud = 30\ndelay = "30s"\njitter = "20s"',
                'delay = "30s"',
                'delay = "12s"\nloss = "30%"',
            )
        ),
    ],
    ids=lambda text: text.strip().replace("\n", " ")[:40],
)
def test_a_pump_and_a_line_that_do_as_they_are_to_break_no_invariant(
    command: Command, tmp_path: Path, text: str
) -> None:
    for seed in "123":
        ended = command("run", scenario(tmp_path, text), "--seed", seed)
        assert (ended.code, ended.err) == (0, "")


@pytest.mark.end_to_end
def test_a_disk_that_is_full_is_said_to_be_that_of_the_bundle() -> None:
    """And not that of the output, which nothing is wrong with."""
    if Path("/dev/full").exists():
        ended = as_process("run", "limits", "--record", "/dev/full")
        assert (ended.code, ended.line) == (74, "mockpump: /dev/full: no space left on device")
