"""Text made fit to be drawn: as wide as it is measured, wrapped without losing a word."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mockpump.display import glyphs
from mockpump.display.text import cells, cut, on_one_line, padded, wrapped

WORDS = st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "Mn"]))
ANY = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x07\u202e\ud800\n\t漢…")))


@given(st.text(st.characters(categories=["L", "N", "P", "S"], max_codepoint=0x9FFF)))
def test_a_text_is_as_wide_as_a_terminal_has_it(text: str) -> None:
    assert cells("漢字") == cell_len("漢字") == 4
    assert abs(cells(text) - cell_len(text)) <= sum(char > "\u02ff" for char in text)


@given(WORDS, st.integers(2, 30))
def test_no_line_is_wider_than_asked_for_and_nothing_is_lost(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(WORDS, st.integers(3, 20))
def test_what_is_cut_has_room_and_what_has_room_is_not_cut(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= width
    assert cells(padded(text, width)) == width
    if cells(text) <= width:
        assert cut(text, width) == text


@given(ANY)
def test_nothing_is_a_command_to_a_terminal(text: str) -> None:
    assert on_one_line(text).isprintable()
    assert glyphs.UNICODE.clean(text).isprintable()
    plain = glyphs.ASCII.clean(text)
    assert plain.isascii()
    assert plain.isprintable()


def test_every_glyph_takes_one_column() -> None:
    for char in glyphs.needed():
        assert cells(char) == cell_len(char) == 1, char


def test_the_glyphs_of_ascii_are_ascii() -> None:
    unicode = {name: getattr(glyphs.UNICODE, name) for name in glyphs.Glyphs.__struct_fields__}
    for name in unicode:
        value = getattr(glyphs.ASCII, name)
        assert value is True or (len(value) == 1 and value.isascii()), name
    assert glyphs.ASCII.number(3) == "(3)"
    assert (glyphs.UNICODE.number(3), glyphs.UNICODE.number(21)) == ("③", "(21)")
