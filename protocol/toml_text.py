"""TOML that anybody may have written: parsed within bounds, whatever is in it.

One guard for every kind of file.  What it bounds, and why: `tomllib` keeps every beginning of a
dotted key, so time and memory go with the square of its parts, and a key cannot span lines; it
descends into what is nested; and an integer may have as many digits as the file is long, which
Python will not print.
"""

import tomllib
from typing import Any

from mockpump.protocol.errors import MockpumpError

# Characters on a line, and dots on it, in a key or elsewhere.
MAX_LINE = 2_048
MAX_DOTS = 64
# Bits of an integer: as many as a TOML file must be able to hold.
MAX_BITS = 64
_MOST = 2**MAX_BITS - 1


class BadToml(MockpumpError):
    """What should be TOML is none, or more than anybody writes; `key` is where, if one is known."""

    def __init__(self, rule: str, key: str = "") -> None:
        super().__init__(f"{key}: {rule}" if key else rule)
        self.rule = rule
        self.key = key


def parse(text: bytes | str, most: int) -> dict[str, Any]:
    """The document in a text of at most this many bytes; `BadToml`, and nothing else."""
    decoded = _decoded(text, most)
    for number, line in enumerate(decoded.split("\n"), start=1):
        if len(line) > MAX_LINE:
            raise BadToml(f"line {number} is too long: at most {MAX_LINE} characters")
        if line.count(".") > MAX_DOTS:
            raise BadToml(f"line {number} has too many dots: at most {MAX_DOTS}")
    try:
        document = tomllib.loads(decoded)
    except RecursionError:
        raise BadToml("not TOML: nested too deeply") from None
    except ValueError as error:  # a TOMLDecodeError, or an integer of too many digits
        raise BadToml(f"not TOML: {error}") from None
    _expect_small(document)
    return document


def _decoded(text: bytes | str, most: int) -> str:
    try:
        raw = text.encode() if isinstance(text, str) else text
        if len(raw) > most:
            raise BadToml(f"too long: {len(raw)} bytes, at most {most}")
        decoded = raw.decode("utf-8-sig")
    except UnicodeError:
        raise BadToml("not UTF-8 text") from None
    if not decoded.strip():
        raise BadToml("empty")
    return decoded


def _expect_small(document: dict[str, Any]) -> None:
    waiting: list[tuple[str, Any]] = list(document.items())
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{key}.{name}", each) for name, each in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{key}[{place}]", each) for place, each in enumerate(value)]
        elif isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise BadToml(f"so large a number is not -{_MOST}..{_MOST}", key)
