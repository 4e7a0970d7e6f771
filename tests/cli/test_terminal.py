"""The programmer on a terminal: redrawing in place, asking, colour, and Ctrl-C."""

import io
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import COMMAND, PATIENCE, program_file, wait_readable

from mockpump.cli import terminal as terminal_door
from mockpump.display.text import on_one_line, printable

DEMO = ("programmer", "--port", "mockpump://demo?speed=1000")


class Terminal:
    """A command on a terminal of its own, 80 columns wide."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.master, slave = pty.openpty()
        clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "CI")}
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**clean, "TERM": "xterm-256color", "COLUMNS": "80", **environment},
        )
        os.close(slave)
        self.shown = b""

    def read_until(self, text: bytes) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert wait_readable(self.master, deadline - time.monotonic()), self.shown
            self.shown += os.read(self.master, 65_536)

    def end(self) -> int:
        try:
            while wait_readable(self.master):
                self.shown += os.read(self.master, 65_536)
        except OSError:
            pass
        os.close(self.master)
        return self.process.wait(PATIENCE)


@pytest.mark.end_to_end
def test_watch_on_a_terminal_redraws_in_place_until_ctrl_c() -> None:
    terminal = Terminal(*DEMO, "watch", "--interval", "100")
    for _ in range(2):
        terminal.read_until(b"left")
        terminal.shown = terminal.shown.partition(b"left")[2]
    terminal.read_until(b"\r\x1b[2K")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 0
    assert b"Traceback" not in terminal.shown
    assert b"interrupted" not in terminal.shown


@pytest.mark.end_to_end
def test_a_terminal_that_cannot_redraw_gets_plain_lines() -> None:
    terminal = Terminal(*DEMO, "watch", "--interval", "100", "--count", "2", TERM="dumb")
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.shown
    assert terminal.shown.count(b"\n") >= 1


@pytest.mark.end_to_end
def test_ctrl_c_while_nobody_answers_ends_with_130() -> None:
    master, slave = os.openpty()
    terminal = Terminal("programmer", "--port", os.ttyname(slave), "status")
    assert wait_readable(master)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert terminal.shown.strip() == b"interrupted"
    os.close(slave)
    os.close(master)


@pytest.mark.end_to_end
@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1)])
def test_it_asks_on_a_terminal(tmp_path: Path, answer: bytes, code: int) -> None:
    terminal = Terminal(*DEMO, "program", "set", program_file(tmp_path))
    terminal.read_until(b"Make it the active program?")
    assert b"+50.0 %" in terminal.shown
    os.write(terminal.master, answer)
    assert terminal.end() == code


@pytest.mark.end_to_end
@pytest.mark.parametrize(("environment", "colour"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_on_a_terminal_unless_it_is_not_wanted(
    environment: dict[str, str], colour: bool
) -> None:
    terminal = Terminal(*DEMO, "status", **environment)
    assert terminal.end() == 0
    assert (b"\x1b[2m" in terminal.shown or b"\x1b[3" in terminal.shown) is colour


# -- the door --------------------------------------------------------------------------------------

FOREIGN = st.text(
    st.characters() | st.sampled_from("\x1b\x9b\x07\r\n\t\x7f\u202e\u2066\ufeff\ud800")
)


class Screen(io.StringIO):
    """An output that says that it is a terminal, or that it is none."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def shown(print_: Callable[[], object], terminal: bool = True) -> str:
    """What something prints on both outputs."""
    screen = Screen(terminal)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdout", screen)
        patched.setattr("sys.stderr", screen)
        patched.setenv("COLUMNS", "40")
        print_()
    return screen.getvalue()


@given(FOREIGN, st.booleans())
def test_nothing_that_is_printed_is_a_command_to_a_terminal(text: str, terminal: bool) -> None:
    for print_ in (terminal_door.echo, terminal_door.complain, terminal_door.warn):
        out = shown(partial(print_, text), terminal)
        assert out.replace("\n", "").replace("\t", "").isprintable()
    assert shown(partial(terminal_door.complain, text)).count("\n") == 1


@given(st.text(st.characters(categories=["L", "N", "P", "S"], include_characters=" \n\t")))
def test_letters_figures_and_signs_are_left_as_they_are(text: str) -> None:
    assert printable(text) == text


@given(FOREIGN)
def test_what_is_escaped_can_be_read_back(text: str) -> None:
    plain = text.replace("\\", "/")
    escaped = on_one_line(plain).encode("latin-1", "backslashreplace")
    assert escaped.decode("unicode_escape") == plain


@given(FOREIGN)
def test_a_file_goes_through_as_it_is_except_to_a_terminal(text: str) -> None:
    assert shown(partial(terminal_door.write_out, text), terminal=False) == text
    seen = shown(partial(terminal_door.write_out, text))
    assert seen.replace("\n", "").replace("\t", "").isprintable()


@given(FOREIGN)
def test_what_is_drawn_in_place_is_one_line_behind_our_own_command(text: str) -> None:
    lead, drawn = "\r\x1b[2K", shown(partial(terminal_door.redraw, text))
    assert drawn.startswith(lead)
    assert drawn.removeprefix(lead).isprintable()
    assert len(drawn.removeprefix(lead)) < 40


def test_a_line_that_is_redrawn_never_wraps() -> None:
    for text, expected in (("x" * 100, "x" * 38 + ">"), ("x" * 39, "x" * 39), ("short", "short")):
        assert shown(partial(terminal_door.redraw, text)) == "\r\x1b[2K" + expected
    drawn = shown(partial(terminal_door.redraw_lines, ["one", "two"], 2))
    assert drawn == "\x1b[2A\r\x1b[2Kone\n\r\x1b[2Ktwo\n"
