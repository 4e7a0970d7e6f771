"""A planted defect in a whole run: it is in the run, in its bundle, and in whatever reads that."""

import json
import subprocess
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from loaded import loaded_with
from outside import COMMAND, PATIENCE

from mockpump.cli.main import cli
from mockpump.emulator.simulation.bundle import Head
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.exercises.errors import ExerciseError
from mockpump.exercises.exercise import ladder
from mockpump.exercises.planting import defect_named, defect_names, planted


def mockpump(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def last_object(told: subprocess.CompletedProcess[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(told.stdout.splitlines()[-1])
    return found


def test_every_defect_has_one_name() -> None:
    names = defect_names()
    assert len(names) == len(set(names)) == sum(len(each.defect) for each in ladder())
    assert [defect_named(name).id for name in names] == [name.split("/")[1] for name in names]
    with pytest.raises(ExerciseError, match="unknown defect '5/nothing'"):
        defect_named("5/nothing")


def test_nothing_that_a_defect_is_in_is_loaded_before_it() -> None:
    changed = {patch.module for name in defect_names() for patch in defect_named(name).patches}
    assert not loaded_with("mockpump.cli.planting") & changed


@pytest.mark.end_to_end
def test_a_run_with_a_defect_fails_and_its_bundle_carries_the_defect(tmp_path: Path) -> None:
    bundle = tmp_path / "run.bundle"
    right = mockpump("run", "stall", "--json")
    wrong = mockpump("run", "stall", "--defect", "10/motor-let-go", "--json", "--record", bundle)
    assert (right.returncode, last_object(right)["failure"]) == (0, None)
    assert wrong.returncode == 1
    told = last_object(wrong)
    assert (told["defect"], told["reached"]) == ("10/motor-let-go", True)
    assert "it was not refused" in str(told["failure"])

    again = mockpump("replay", bundle)
    assert (again.returncode, again.stdout[:10]) == (0, "identical:")
    assert "stall, seed 0, defect 10/motor-let-go" in mockpump("show", bundle).stdout
    # Standard input is there only once, and the process would have to start over.
    with bundle.open() as text:
        refused = subprocess.run(
            [*COMMAND, "show", "-"], stdin=text, capture_output=True, text=True, check=False
        )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.endswith("give it as a file instead\n")


@pytest.mark.end_to_end
def test_whatever_a_defect_raises_is_a_failure_of_the_scenario(tmp_path: Path) -> None:
    bundle = tmp_path / "run.bundle"
    done = mockpump("run", "power-cut", "--defect", "9/image-late", "--json", "--record", bundle)
    assert done.returncode == 1
    assert str(last_object(done)["failure"]).startswith("DecodeError: the memory names a program")
    assert mockpump("replay", bundle).returncode == 0


@pytest.mark.end_to_end
def test_what_a_defect_does_not_reach_is_said() -> None:
    done = mockpump("run", "limits", "--defect", "7/no-way-on")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("defect 7/no-way-on: the changed code never ran")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("5/deliverd-again", "did you mean 5/delivered-again?"),
        ("5/zzz", "use 5/delivered-again, 5/early-is-delivered"),
        ("zzz", "use RUNG/NAME, as in 0/short-hours"),
    ],
)
def test_an_unknown_defect_is_answered_with_the_known_ones(name: str, said: str) -> None:
    done = CliRunner().invoke(cli, ["run", "limits", "--defect", name])
    assert isinstance(done.exception, ScenarioError)
    assert said in str(done.exception)


def test_a_bundle_of_a_run_without_a_defect_is_as_it_was() -> None:
    head = Head("mockpump-bundle/2", 1, "0", 1, "x", 0, "", {})
    assert "defect" not in msgspec.to_builtins(head)
    assert planted() is None
