"""What is mistyped is answered with what may have been meant."""

from pathlib import Path

import pytest
from outside import Command, in_process

from mockpump.cli.examples import program_names, scenario_names
from mockpump.cli.keys import OPEN_VARIABLE
from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.transports import waiting

AT_DEMO = ("programmer", "--open", "--port", "mockpump://demo")


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MOCKPUMP_PORT", raising=False)
    return in_process(capsys, monkeypatch)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("programer",), "did you mean `mockpump programmer`?"),
        (("status",), "did you mean `mockpump programmer status`?"),
        (("log",), "did you mean `mockpump pump log` or `mockpump programmer log`?"),
        (("qqqq",), "there is no command 'qqqq'\n"),
        (("programmer", "stat"), "Did you mean 'status'?"),
        (("pump", "run", "--sppeed", "1"), "'--speed'"),
        (("programmer", "status", "--prot", "x"), "Did you mean '--port'?"),
        (("demo", "limit"), 'there is no scenario "limit"; did you mean "limits"?'),
        (("run", "limit"), 'did you mean "limits"?'),
        (("view", "limit"), 'did you mean "limits"?'),
        (("show", "limits"), "record it with `mockpump run limits --record limits.bundle`"),
        (("replay", "limits"), "record it with `mockpump run limits --record limits.bundle`"),
        (("pump", "new", "it", "--program", "weak"), 'did you mean "week"?'),
        (("pump", "run", "--tcp", "tcp:127.0.0.1:70"), "use HOST:PORT alone, as in 127.0.0.1:70"),
        (("pump", "run", "--tcp", "socket://[::1]:70"), "use HOST:PORT alone, as in [::1]:70"),
        ((*AT_DEMO, "program", "set", "dya"), 'did you mean "day"?'),
    ],
)
def test_a_typing_mistake(command: Command, words: tuple[str, ...], answer: str) -> None:
    ended = command(*words)
    assert ended.code == 2
    assert answer in ended.err


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("demo", "x"), scenario_names()),
        (("run", "x"), scenario_names()),
        (("view", "x"), scenario_names()),
        (("demo", "--program", "x"), program_names()),
        (("pump", "run", "--program", "x"), program_names()),
        ((*AT_DEMO, "program", "diff", "x"), program_names()),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_those_that_are(
    command: Command, words: tuple[str, ...], names: list[str]
) -> None:
    assert f"the examples are {', '.join(names)}" in command(*words).err


def test_a_program_may_be_named_as_the_example_that_it_is(command: Command) -> None:
    ended = command(*AT_DEMO, "program", "set", "day", "--yes")
    assert (ended.code, '"day" is the active program' in ended.out) == (0, True)
    assert command("pump", "new", "it", "--open", "--program", "week").code == 0


@pytest.mark.parametrize(
    ("port", "advice"),
    [
        ("127.0.0.1:7806", "for a pump on TCP use tcp:127.0.0.1:7806"),
        ("localhost:7806", "for a pump on TCP use tcp:localhost:7806"),
        ("[::1]:7806", "for a pump on TCP use tcp:[::1]:7806"),
        ("7806", "for a pump on TCP use tcp:7806"),
        ("pty:./pump", "use ./pump"),
        ("socket://127.0.0.1", "use tcp:HOST:PORT, as in tcp:127.0.0.1:7000"),
    ],
)
def test_a_port_that_is_written_in_another_way(command: Command, port: str, advice: str) -> None:
    ended = command("programmer", "--port", port, "--open", "status")
    assert ended.code == 3
    assert ended.err.endswith(f"{advice}\n")


def test_a_port_that_is_waited_for_is_named_and_how_not_to_wait(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_SILENT", 0)
    ended = command("programmer", "--port", "./none", "--wait", "1ms", "status")
    assert ended.code == 3
    first, last = ended.err.splitlines()
    assert first.endswith("; waiting for it, 0.001 s at most (--wait 0 does not)")
    assert last == "mockpump: cannot open ./none: no such file or directory"
    assert "waiting" not in command("link", "--b", "./none", "--wait", "0").line


def test_a_bolus_while_one_runs_says_until_when_and_how_to_end_it(command: Command) -> None:
    with PumpProcess("--speed", "0") as pump:
        at = ("programmer", "--port", pump.port)
        assert command(*at, "bolus", "20uL", "--over", "1h").code == 0
        ended = command(*at, "bolus", "20uL", "--over", "1h")
    assert ended.code == 1
    assert ended.line.endswith(
        "refused StartBolus: busy (a bolus runs until 1:00:00 of pump time);"
        " `mockpump programmer bolus --cancel` ends it"
    )


def test_a_keyring_that_is_not_there_is_called_that(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(OPEN_VARIABLE)
    with PumpProcess("--speed", "0", "--paired", "--keyring", "keys.json") as pump:
        at = ("programmer", "--port", pump.port)
        assert "there is no file keys.jsn; " in command(*at, "--keyring", "keys.jsn", "status").line
        assert command(*at, "--keyring", "keys.json", "status").code == 0


def test_a_memory_in_use_says_what_to_use_instead(command: Command) -> None:
    assert command("pump", "new", "x.pump").code == 0
    with PumpProcess("--memory", "x.pump", "--speed", "0") as pump:
        for words in (("show",), ("log",), ("pair",), ("run", "--memory")):
            said = command("pump", *words, "x.pump").line
            assert f"it is in use by process {pump.pid}" in said
            assert "ask the pump that runs with `mockpump programmer`" in said


def test_a_file_of_another_kind_is_called_what_it_is(command: Command) -> None:
    examples = Path(__file__).parents[2] / "examples"
    program, scenario = examples / "programs" / "day.toml", examples / "scenarios" / "limits.toml"
    said = command("run", str(program)).line
    assert "it is a program, not a scenario: give it to a pump with `mockpump pro" in said
    said = command(*AT_DEMO, "program", "set", str(scenario), "--yes").line
    assert "it is a scenario, not a program: `mockpump run` takes it" in said


def test_a_program_is_looked_for_before_anybody_is_asked(command: Command) -> None:
    said = command(*AT_DEMO, "program", "set", "nowhere.toml").err
    assert "nowhere.toml: no such file" in said


def test_a_log_from_beyond_its_end_says_where_that_is(command: Command) -> None:
    ended = command(*AT_DEMO, "log", "--from", "50")
    assert (ended.code, ended.out) == (0, "")
    assert ended.line == "mockpump: there is no entry 50 yet: the log ends with entry 1"
