"""What is wrong with a scenario is found before it begins, and said in one line with the place."""

import pytest

from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.scenario import load_scenario

HEAD = 'format = "mockpump-scenario/1"\nname = "x"\ntitle = "X"\n'
ROUTE = """[picture]
title = "x"
curves = ["long way"]
route = { share = 5, half_life = "slowly" }
"""


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[pump]\nprogramm = 'day'\n[[step]]\nsay = 'x'\n", "program"),
        ("[[step]]\nboluss = { volume = 1 }\n", "bolus"),
        ("[[step]]\nbolus = { volumes = 1 }\n", "volume"),
        ("[[step]]\nexpect = { modes = 'running' }\n", "mode"),
        ("[programer]\n[[step]]\nsay = 'x'\n", "programmer"),
    ],
)
def test_an_unknown_key_names_the_nearest(text: str, near: str) -> None:
    with pytest.raises(ScenarioError, match=f"did you mean `{near}`"):
        load_scenario(HEAD + text, "x")


def test_one_that_is_near_to_nothing_is_named_all_the_same() -> None:
    with pytest.raises(ScenarioError, match="xyzzyx"):
        load_scenario(HEAD + "[[step]]\nxyzzyx = 1\n", "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("suspend = false", "there is no `false`"),
        ('fault = "nope"', "there is no fault 'nope'; there are stall"),
        (
            'clear = "brown-out"',
            "'brown-out' happens once and does not last; those that",
        ),
        ('acknowledge = "nope"', "there is no alarm 'nope'; there are empty"),
        ('live = "soon"', "step 1: invalid duration 'soon'"),
        ('wait = "soon"', "step 1: invalid duration 'soon'"),
        ('clock = "Moonday"', "step 1: invalid time 'Moonday': use Mon 07:30"),
        ('live = "1h"\nexpect = "busy"', "nobody is asked"),
        ('say = "x"\nexpect = "busy"', "nobody is asked"),
        ('at = "-1h"', "step 1: invalid duration '-1h'"),
        ('suspend = true\nexpect = "bussy"', "no reason 'bussy'; did you mean 'busy'?"),
        ("bolus = { volume = -1 }", "step 1: bolus.volume is -1, and not within 1..100000000"),
        ('temp = { percent = 251, span = "1h" }', "temp.percent is 251, and not within 0..250"),
        ('bolus = { volume = 9, over = "abc" }', "step 1: invalid duration 'abc': use 90s"),
        ('bolus = { volume = 9, over = "9d" }', "bolus.over is 9d, and not within 1..86400 s"),
        ('temp = { percent = 9, span = "99d" }', "temp.span is 99d, and not within 1.."),
        ("refill = { volume = -1, concentration = 1 }", "refill.volume is -1"),
        ("limits = { rise = 70000 }", "limits.rise is 70000"),
        ('live = "50000d"', "step 1: invalid duration '50000d': the longest is 49710 d 6:28:15"),
        ('at = "50000d"', "step 1: invalid duration '50000d': the longest is"),
        ('live = "30000d"\n[[step]]\nlive = "30000d"', "x: no pump comes to live longer"),
        ('say = "x"\n[programmer]\nwindow = 0', "x: programmer.window is 0, and not within 1..16"),
        ('say = "\\u001b[31mred"', r"that cannot be printed: '\x1b'"),
        (f'say = "x"\n{ROUTE}', "x: invalid duration 'slowly': use 90s"),
        ("[[[", ""),
        (f"say = {'[' * 5_000}", ""),
    ],
)
def test_what_cannot_be_is_found_before_the_scenario_begins(text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(f"{HEAD}[[step]]\n{text}\n", "x")
    assert said in str(caught.value)


def test_time_alone_is_something_to_do() -> None:
    scenario = load_scenario(f'{HEAD}[[step]]\nat = "2h"\n', "x")
    assert scenario.step[0].at == "2h"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = " + "9" * 5_000, "x: line 4 is too long"),
        ("a." * 100 + "a = 1", "x: line 4 has too many dots"),
        ("[pump]\nserial = " + "9" * 300, "x: pump.serial: so large a number"),
        ("#" * 300_000, "x: too long"),
        ("a = [" * 400, "x: not TOML"),
    ],
)
def test_what_is_more_than_anybody_writes_is_a_scenario_error(text: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as error:
        load_scenario(f"{HEAD}{text}", "x")
    assert str(error.value).startswith(expected)
    assert len(str(error.value)) < 200
