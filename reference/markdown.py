"""The generated parts of a document: what marks them, what they are replaced by, tables in them.

The one idea: a document is written by people, except between a line `<!-- generated: NAME -->` and
a line `<!-- end generated -->`; there stands what the function of that name gives.  `render` puts
it there, so a document is up to date exactly when rendering does not change it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, IntEnum

from mockpump.protocol.errors import MockpumpError

Blocks = Mapping[str, Callable[[], str]]

END = "<!-- end generated -->"
_BEGIN = re.compile(r"<!-- generated: (.*?) -->")


class MarkerError(MockpumpError):
    """The markers of a document make no sense; `line` counts from 1."""

    def __init__(self, line: int, fault: str) -> None:
        super().__init__(f"line {line}: {fault}")
        self.line = line


def render(text: str, blocks: Blocks) -> str:
    """The document with every generated part made anew; the rest stays as it is.

    `MarkerError` for a name that is not in `blocks`, and for a marker without its partner.
    """
    return "\n".join(_rendered(text.split("\n"), blocks))


def _rendered(lines: Iterable[str], blocks: Blocks) -> Iterator[str]:
    opened = 0
    for number, line in enumerate(lines, start=1):
        begin = _BEGIN.fullmatch(line.strip())
        if begin and opened:
            raise MarkerError(number, f"the generated part of line {opened} is not ended yet")
        if line.strip() == END and not opened:
            raise MarkerError(number, "nothing generated ends here")
        if begin:
            opened = number
            yield line
            yield _block(number, begin[1], blocks)
        elif line.strip() == END:
            opened = 0
        if not opened:
            yield line
    if opened:
        raise MarkerError(opened, f"a generated part begins here and is never ended with {END}")


def _block(line: int, name: str, blocks: Blocks) -> str:
    if name not in blocks:
        raise MarkerError(line, f'nothing generates "{name}"; known are {", ".join(blocks)}')
    return f"\n{blocks[name]()}\n"


def everything(blocks: Blocks) -> str:
    """A document of nothing but the generated parts, each between its markers."""
    skeleton = "\n".join(f"<!-- generated: {name} -->\n{END}\n" for name in blocks)
    return render(skeleton, blocks)


# -- what stands in them -------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(each) for each in line)} |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def fenced(text: str, language: str = "text") -> str:
    """Text in a fenced block."""
    return f"```{language}\n{text}\n```"


def members(enumeration: type[Enum], head: str = "meaning") -> str:
    """An enumeration as a table: names with numbers, or with what each means."""
    if issubclass(enumeration, IntEnum):
        return table(["number", "name"], [(int(each), code(each.name)) for each in enumeration])
    return table(["name", head], [(code(each.name), each.value) for each in enumeration])


def code(text: object) -> str:
    """Text in the type of code."""
    return f"`{text}`"
