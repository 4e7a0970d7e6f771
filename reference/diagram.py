"""Where each field of a record lies: as rows of a table, and as the box diagram that RFCs draw.

The one idea: both come from the declarations alone.  A field has a `Shape` (how many bytes, and
whether a length stands in front of them); shapes in a row give offsets, and cells to draw.

A variable field moves everything behind it, so an offset may be a sum: `9 + name` is nine bytes and
whatever the text in `name` takes.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from mockpump.protocol.fields import (
    Record,
    Records,
    fields_of,
)

_ROW = 4
_BYTE = 16  # columns that a byte takes, its left border included
_MARGIN = 5


class FieldRow(NamedTuple):
    """A line of a field table, all of it text."""

    offset: str
    size: str
    type: str
    name: str
    unit: str
    range: str
    doc: str


class Cell(NamedTuple):
    """A box of the diagram; `size` in bytes, None when it varies."""

    label: str
    size: int | None


def largest(record: type[Record]) -> int:
    """The most bytes that a record can take."""
    shapes = [declaration.shape for _, declaration in fields_of(record)]
    return sum(shape.prefix + shape.most for shape in shapes)


# -- tables --------------------------------------------------------------------------------------


def field_rows(record: type[Record], lead: int = 0) -> Iterator[FieldRow]:
    """A record's fields; `lead` bytes stand in front of the first."""
    offset, variable = lead, list[str]()
    for name, declaration in fields_of(record):
        shape = declaration.shape
        at = " + ".join([str(offset), *variable])
        rule = declaration.range
        yield FieldRow(at, shape.size, shape.type, name, shape.unit, rule, declaration.doc)
        offset += shape.prefix or shape.most
        if shape.prefix:
            variable.append(name)


# -- diagrams ------------------------------------------------------------------------------------


def cells_of(record: type[Record]) -> Iterator[Cell]:
    """The boxes of a record's fields."""
    for name, declaration in fields_of(record):
        shape = declaration.shape
        if not shape.prefix:
            yield Cell(name, shape.most)
            continue
        if isinstance(declaration, Records):
            yield Cell(f"{name} count", 1)
            bounds = f"{declaration.minimum}..{declaration.maximum}"
        else:
            yield Cell(f"{name} length", shape.prefix)
            bounds = f"0..{shape.most}"
        yield Cell(f"{name}: {bounds} {shape.counted}", None)


def diagram(record: type[Record], number: int | None = None) -> str:
    """The box diagram of a record; with `number`, that byte in front (a message's number)."""
    lead = [] if number is None else [Cell(f"{number:#04x}", 1)]
    return draw([*lead, *cells_of(record)])


class _Row(NamedTuple):
    """Four bytes of the diagram, each owned by a cell (its place) or by nobody."""

    mark: str
    owners: Sequence[int | None]
    endless: bool = False


def draw(cells: Sequence[Cell]) -> str:
    """The box diagram of some cells: 32 bits a row, the offset of each row in the margin.

    Behind a field of variable size, the offsets begin again at +0.
    """
    rows = list(_rows(cells))
    places = _label_places(rows)
    lines = list(_ruler())
    above = _Row("", [None] * _ROW)
    for at, row in enumerate(rows):
        lines.append(_separator(above.owners, row.owners))
        line = row.mark.rjust(_MARGIN - 1) + " " + ("/" if row.endless else "|")
        for owner, start, width in _runs(row.owners):
            joined = above.owners[start] == owner
            label = _label(cells[owner], places[owner] == (at, width), joined)
            line += label.center(width * _BYTE - 1) + ("/" if row.endless else "|")
        lines.append(line)
        above = row
    lines.append(_separator(above.owners, [None] * _ROW))
    return "\n".join(line.rstrip() for line in lines)


def _label(cell: Cell, here: bool, joined: bool) -> str:
    """A field's name in its widest box; in brackets where another box of it touches none above."""
    if here:
        return cell.label
    return "" if joined or cell.size is None else f"({cell.label})"


def _rows(cells: Sequence[Cell]) -> Iterator[_Row]:
    owners: list[int | None] = []
    sign, offset = "", 0
    for place, cell in enumerate(cells):
        for _ in range(cell.size or 0):
            owners.append(place)
            if len(owners) == _ROW:
                yield _Row(f"{sign}{offset}", owners)
                owners, offset = [], offset + _ROW
        if cell.size is None:
            if owners:
                yield _Row(f"{sign}{offset}", owners + [place] * (_ROW - len(owners)))
                yield _Row("", [place] * _ROW, endless=True)
            else:
                yield _Row(f"{sign}{offset}", [place] * _ROW, endless=True)
            owners, sign, offset = [], "+", 0
    if owners:
        yield _Row(f"{sign}{offset}", owners + [None] * (_ROW - len(owners)))


def _runs(owners: Sequence[int | None]) -> Iterator[tuple[int, int, int]]:
    """Each cell in a row: its place, the byte it starts at, and how many bytes."""
    start = 0
    for owner, group in groupby(owners):
        width = len(list(group))
        if owner is not None:
            yield owner, start, width
        start += width


def _label_places(rows: Sequence[_Row]) -> dict[int, tuple[int, int]]:
    """For each cell the row in which it is widest (the last of a variable one), and how wide."""
    places: dict[int, tuple[int, int]] = {}
    for at, row in enumerate(rows):
        for owner, _, width in _runs(row.owners):
            if row.endless or width > places.get(owner, (0, 0))[1]:
                places[owner] = (at, width)
    return places


def _separator(above: Sequence[int | None], below: Sequence[int | None]) -> str:
    used = [a is not None or b is not None for a, b in zip(above, below, strict=True)]
    ruled = [mine and a != b for mine, a, b in zip(used, above, below, strict=True)]
    line = " " * _MARGIN
    for place in range(sum(used)):
        corner = place == 0 or ruled[place] or ruled[place - 1]
        line += ("+" if corner else " ") + ("-+" * 7 + "-" if ruled[place] else " " * 15)
    return line + "+"


def _ruler() -> Iterator[str]:
    margin = " " * (_MARGIN + 1)
    yield margin + "".join(str(ten).ljust(20) for ten in range(4))
    yield margin + " ".join(str(bit % 10) for bit in range(32))
