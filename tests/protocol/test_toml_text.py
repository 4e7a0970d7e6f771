"""TOML from anybody: parsed, or refused in a line, and never at a great cost."""

import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockpump.protocol.toml_text import MAX_BITS, MAX_DOTS, MAX_LINE, BadToml, parse

MOST = 262_144


def key(parts: int) -> str:
    return ".".join(["a"] * parts)


def worst(parts: int) -> str:
    """As many keys of this many parts as there is room for, each under a name of its own."""
    lines = [f"k{number}.{key(parts - 1)}=1\n" for number in range(MOST // (2 * parts + 4))]
    return "".join(lines)[:MOST].rpartition("\n")[0]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"\xff", "not UTF-8 text"),
        ("\ud800", "not UTF-8 text"),
        ("#" * (MOST + 1), f"too long: {MOST + 1} bytes, at most {MOST}"),
        ("a = 1\n#" + "x" * MAX_LINE, f"line 2 is too long: at most {MAX_LINE} characters"),
        (f"{key(MAX_DOTS + 2)} = 1", f"line 1 has too many dots: at most {MAX_DOTS}"),
        (f"[{key(MAX_DOTS + 2)}]", "too many dots"),
        (f"a = {{ {key(MAX_DOTS + 2)} = 1 }}", "too many dots"),
        (("''." * (MAX_DOTS + 1)) + "a = 1", "too many dots"),
        (
            "a = " + "9" * 2_000,
            "a: so large a number is not -18446744073709551615..18446744073709551615",
        ),
        ("a.b = [1, { c = 0x" + "f" * 1_500 + " }]", "a.b[1].c: so large a number"),
        (f"a = {2**MAX_BITS}", "a: so large a number"),
        (f"a = {-(2**MAX_BITS)}", "a: so large a number"),
        ("a = [\n" + "[\n" * 50_000, "not TOML: nested too deeply"),
        ("a = 1\nb == 2\n", "(at line 2, column 4)"),
        ("a = 1\na = 2\n", "not TOML"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_more_than_anybody_writes_is_refused(text: bytes | str, rule: str) -> None:
    with pytest.raises(BadToml) as error:
        parse(text, MOST)
    assert rule in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


def test_what_people_write_is_read() -> None:
    text = f'\ufeffa = {2**63 - 1}\r\nb = [1, {{ c = "x" }}]\n{key(MAX_DOTS + 1)[2:]}.z = 1\n'
    assert parse(text.replace("a.a", "q.a", 1), MOST)["b"] == [1, {"c": "x"}]


@given(st.binary(max_size=300) | st.text(max_size=300))
@example("a=" + "9" * 5_000)
@example(f"a={key(40_000)}")
def test_nothing_else_comes_out_of_any_text(text: bytes | str) -> None:
    document: object = {}
    with suppress(BadToml):
        document = parse(text, MOST)
    assert isinstance(document, dict)


@pytest.mark.parametrize("parts", [2, 8, MAX_DOTS + 1])
def test_the_worst_text_costs_no_more_than_a_hundred_megabytes(parts: int) -> None:
    text = worst(parts)
    assert MOST - 200 < len(text) <= MOST
    tracemalloc.start()
    parse(text, MOST)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000_000
