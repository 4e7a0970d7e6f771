"""An option of a group does the same before the group's command and behind it."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import Command, in_process

from mockpump.cli.options_anywhere import OptionsAnywhere

GROUP_OPTIONS = [("--port", "here"), ("--json",), ("--level=3",), ("--no-quick",), ("-q",)]


@click.group(cls=OptionsAnywhere)
@click.option("--port")
@click.option("--json", "json_", is_flag=True)
@click.option("--level", type=int)
@click.option("--quick/--no-quick", default=True)
@click.option("-q", "quiet", is_flag=True)
@click.pass_context
def group(context: click.Context, /, **given: object) -> None:
    context.obj = given


@group.group()
def inner() -> None:
    pass


@inner.command()
@click.option("--name")
@click.option("--json", "json_", is_flag=True)
@click.argument("words", nargs=-1)
@click.pass_obj
def deep(given: dict[str, object], name: str, json_: bool, words: tuple[str, ...]) -> object:
    return given, name, json_, words


@group.command()
@click.argument("words", nargs=-1)
@click.pass_obj
def flat(given: dict[str, object], words: tuple[str, ...]) -> object:
    return given, words


def told(arguments: list[str]) -> object:
    return group.main(arguments, standalone_mode=False)


def placed(options: list[tuple[str, ...]], places: list[int], words: list[str]) -> list[str]:
    """The words, each option before the word of its place."""
    line: list[str] = []
    for at, word in enumerate([*words, ""]):
        for option, place in zip(options, places, strict=True):
            if place == at:
                line += option
        line += [word] if word else []
    return line


@given(
    st.lists(st.sampled_from(GROUP_OPTIONS), unique=True).flatmap(
        lambda chosen: st.tuples(
            st.just(chosen), st.lists(st.integers(0, 3), min_size=len(chosen), max_size=len(chosen))
        )
    )
)
def test_wherever_they_stand(drawn: tuple[list[tuple[str, ...]], list[int]]) -> None:
    options, places = drawn
    first = [word for option in options for word in option]
    assert told(placed(options, places, ["flat", "a", "b"])) == told([*first, "flat", "a", "b"])


def test_behind_a_command_of_a_group_within() -> None:
    assert told(["inner", "deep", "a", "--port", "x"]) == told(
        ["--port", "x", "inner", "deep", "a"]
    )


def test_an_option_of_the_commands_own_is_the_commands() -> None:
    given, _, json_, _ = told(["inner", "deep", "--json"])  # type: ignore[misc]
    assert (given["json_"], json_) == (False, True)
    given, _, json_, _ = told(["--json", "inner", "deep"])  # type: ignore[misc]
    assert (given["json_"], json_) == (True, False)


def test_the_value_of_an_option_is_not_taken_for_an_option() -> None:
    given, name, _, _ = told(["inner", "deep", "--name", "--port"])  # type: ignore[misc]
    assert (given["port"], name) == (None, "--port")


def test_behind_two_dashes_there_are_no_options() -> None:
    given, words = told(["flat", "--", "--port", "x"])  # type: ignore[misc]
    assert given["port"] is None
    assert words == ("--port", "x")


def test_a_typing_mistake_is_answered_with_the_options_of_both() -> None:
    for line, meant in (
        (["flat", "--prot", "x"], "--port"),
        (["inner", "deep", "--nam"], "--name"),
    ):
        with pytest.raises(click.NoSuchOption) as caught:
            told(line)
        assert meant in caught.value.format_message()


def test_the_programmers_options_behind_its_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command: Command = in_process(capsys, monkeypatch)
    line = ("--port", "mockpump://demo", "--json", "--open")
    before = command("programmer", *line, "program", "show")
    behind = command("programmer", "program", "show", *line)
    assert (behind.code, behind.out) == (0, before.out)
