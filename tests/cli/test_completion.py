"""What a shell is offered: click's own protocol, as bash speaks it."""

import os
import subprocess

import pytest
from outside import COMMAND, PATIENCE


def offered(words: str) -> list[str]:
    """What may come at the end of a command line, as kind and word."""
    environment = {"_MOCKPUMP_COMPLETE": "bash_complete", "COMP_WORDS": words}
    done = subprocess.run(
        COMMAND,
        env={**os.environ, **environment, "COMP_CWORD": str(len(words.split(" ")) - 1)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mockpump dem", ["plain,demo"]),
        ("mockpump demo cl", ["plain,clock"]),
        ("mockpump demo nothing", []),
        ("mockpump run bad", ["plain,bad-link"]),
        ("mockpump run ./mine", ["file,./mine"]),
        ("mockpump pump run --pt", ["plain,--pty"]),
    ],
)
def test_what_is_offered(words: str, expected: list[str]) -> None:
    assert offered(words) == expected
