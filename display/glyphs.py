"""The characters that a run is drawn with, in Unicode and in ASCII, each one column wide."""

import msgspec

from mockpump.display.text import on_one_line

# What narration is written with, in ASCII; what is not here is escaped.
_PLAIN = str.maketrans(
    {
        "“": '"',
        "”": '"',
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{EN DASH}": "-",
        "·": ",",
        "…": "...",
        "→": "->",
    }
)
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


class Glyphs(msgspec.Struct, frozen=True, kw_only=True):
    """One character for each thing that is drawn.

    A first transmission is a `first` line, a later one an `again` line, an acknowledgement an `ack`
    line.  It ends in a full head, or in a hollow one when nothing was handed up.
    """

    first: str
    again: str
    ack: str
    right: str
    left: str
    hollow_right: str
    hollow_left: str
    lost: str
    damaged: str
    garbage: str
    overtaken: str
    kept: str
    control: str
    # A frame that is under way while something else happens: down, and through a line.
    under_way: str
    crossing: str
    leaves_right: str
    lands_right: str
    leaves_left: str
    lands_left: str
    # The two lifelines: with and without a connection, and while a change is done and not known.
    open: str
    closed: str
    unknown: str
    other: str
    deed: str
    heard: str
    alarm: str
    pause: str
    quiet: str
    event: str
    # One character a frame, in a summary.
    twice: str
    small_ack: str
    more: str
    is_ascii: bool = False

    def clean(self, text: str) -> str:
        """A text of somebody else's as it can be drawn: on one line, and in ASCII where need be."""
        text = on_one_line(" ".join(text.split()))
        if self.is_ascii:
            text = text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")
        return text

    def number(self, place: int) -> str:
        """The number of something to look at."""
        circled = not self.is_ascii and place <= len(_CIRCLED)
        return _CIRCLED[place - 1] if circled else f"({place})"


UNICODE = Glyphs(
    first="─",
    again="═",
    ack="╌",
    right="▶",
    left="◀",
    hollow_right="▷",
    hollow_left="◁",
    lost="\N{BOX DRAWINGS LIGHT DIAGONAL CROSS}",
    damaged="≈",
    garbage="░",
    overtaken="╫",
    kept="○",
    control="◆",
    under_way="│",
    crossing="┼",
    leaves_right="╮",
    lands_right="╰",
    leaves_left="╭",
    lands_left="╯",
    open="│",
    closed="┊",
    unknown="▓",
    other="║",
    deed="●",
    heard="◂",
    alarm="▲",
    pause="⋮",
    quiet="┄",
    event="░",
    twice="‖",
    small_ack="·",
    more="…",
)
ASCII = Glyphs(
    first="-",
    again="=",
    ack=".",
    right=">",
    left="<",
    hollow_right=")",
    hollow_left="(",
    lost="X",
    damaged="~",
    garbage="%",
    overtaken="#",
    kept="o",
    control="+",
    under_way="|",
    crossing="+",
    leaves_right="\\",
    lands_right="`",
    leaves_left="/",
    lands_left="'",
    open="|",
    closed=":",
    unknown="?",
    other="!",
    deed="*",
    heard="<",
    alarm="^",
    pause=":",
    quiet=".",
    event="%",
    twice='"',
    small_ack=".",
    more="+",
    is_ascii=True,
)


def needed() -> str:
    """Everything that must be in an encoding for a drawing in Unicode."""
    drawn = (value for value in msgspec.structs.astuple(UNICODE) if isinstance(value, str))
    return "".join(drawn) + _CIRCLED
