"""What can be wrong with a line, declared once: the TOML keys, the options and the table of it.

The one idea: each field of `Impairments` is annotated with how it is written, what it means and
an example.  A scenario's `[channel]`, the options of `mockpump link` and `docs/CHANNEL.md` are read
from here.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, get_type_hints

import msgspec

from mockpump.protocol import messages, units
from mockpump.protocol.units import (
    BadQuantity,
    BitPlace,
    Burst,
    Outage,
    did_you_mean,
    read_line_time,
    read_share,
)


class TextFormat(NamedTuple):
    """How an impairment is written: read by `read`, such as `example`; `doc` says what it is."""

    read: Callable[[str], Any]
    example: str
    doc: str
    repeated: bool = False


def _baud(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise BadQuantity(f"invalid baud rate {text!r}: use bits a second, such as 9600")
    return int(text)


def read_message_name(text: str) -> str:
    """The name of a message, in any case, as the catalogue spells it."""
    entry = messages.entry_named(text)
    if entry is None:
        near = did_you_mean(text, (each.name for each in messages.CATALOGUE.values()))
        hint = f"did you mean {near!r}?" if near else "see `mockpump wire explain`"
        raise BadQuantity(f"unknown message {text!r}; {hint}")
    return entry.name


class Impairments(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a line, in both directions alike; as it stands, nothing.

    Shares are in parts per billion, times in microseconds.  A chunk is what one side gives to the
    line at once: most often a frame.
    """

    baud: Annotated[
        int, TextFormat(_baud, "9600", "bits a second, ten of them a byte; if not given, no limit")
    ] = 0
    delay: Annotated[int, TextFormat(read_line_time, "50ms", "delay of every byte")] = 0
    jitter: Annotated[
        int,
        TextFormat(
            read_line_time,
            "20ms",
            "extra delay, up to this much, drawn for each chunk; the order is kept",
        ),
    ] = 0
    loss: Annotated[int, TextFormat(read_share, "5%", "probability that a chunk is lost")] = 0
    ber: Annotated[
        int, TextFormat(read_share, "1e-4", "bit error rate: probability that a bit is flipped")
    ] = 0
    burst: Annotated[
        Burst | None,
        TextFormat(
            units.read_burst,
            "0.1%,20%,50%",
            "probabilities a byte: the line turns bad, turns good, a byte on a bad line is damaged",
        ),
    ] = None
    truncate: Annotated[
        int, TextFormat(read_share, "1%", "probability that a chunk loses its end")
    ] = 0
    duplicate: Annotated[
        int, TextFormat(read_share, "1%", "probability that a chunk arrives twice")
    ] = 0
    reorder: Annotated[
        int, TextFormat(read_share, "1%", "probability that a chunk arrives after the next one")
    ] = 0
    garbage: Annotated[
        int, TextFormat(read_share, "1%", "probability of random bytes, at most 32, before a chunk")
    ] = 0
    outage: Annotated[
        tuple[Outage, ...],
        TextFormat(
            units.read_outage,
            "10s@30s",
            "outage as DURATION@START; several are allowed",
            True,
        ),
    ] = ()
    cut: Annotated[
        int | None, TextFormat(read_line_time, "90s", "line time at which the line is cut for good")
    ] = None

    drop: Annotated[
        tuple[int, ...],
        TextFormat(
            units.read_frame_number,
            "3",
            "number of a frame that is lost, counted from 1 over both directions; several are"
            " allowed",
            True,
        ),
    ] = ()
    flip: Annotated[
        tuple[BitPlace, ...],
        TextFormat(
            units.read_bit,
            "5:27.3",
            "a bit that is flipped, as FRAME:BYTE.BIT; frames and bytes count from 1, bits from 7"
            " to 0; several are allowed",
            True,
        ),
    ] = ()
    drop_message: Annotated[
        tuple[str, ...],
        TextFormat(
            read_message_name,
            "BolusStarted",
            "message of which the next one sent is lost; several are allowed",
            True,
        ),
    ] = ()

    @property
    def is_clean(self) -> bool:
        """Whether every byte arrives, as it was and in its turn."""
        return self == Impairments(baud=self.baud, delay=self.delay, jitter=self.jitter)


FIELDS: dict[str, TextFormat] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Impairments, include_extras=True).items()
}


def read_impairments(given: Mapping[str, object]) -> Impairments:
    """The impairments in what TOML or options say; `BadQuantity` names the key.

    Numbers are taken for the text of them.
    """
    return Impairments(**{key: _read(key, value) for key, value in given.items()})


def _read(key: str, value: object) -> Any:
    field = FIELDS.get(key)
    if field is None:
        near = did_you_mean(key, FIELDS)
        hint = f"; did you mean {near!r}?" if near else f"; known are {', '.join(FIELDS)}"
        raise BadQuantity(f"unknown key {key!r}{hint}")
    texts = value if isinstance(value, list | tuple) and field.repeated else [value]
    try:
        if any(not isinstance(each, str | int | float) or each is True for each in texts):
            raise BadQuantity(f"expected text such as {field.example!r}")
        found = tuple(field.read(str(each)) for each in texts)
    except BadQuantity as error:
        raise BadQuantity(f"{key}: {error}") from None
    return found if field.repeated else found[0]


def written(impairments: Impairments) -> dict[str, object]:
    """What TOML says of some impairments; what is as it should be is left out."""
    return {
        name: _WRITE[field.read](getattr(impairments, name))
        for name, field in FIELDS.items()
        if getattr(impairments, name) != getattr(Impairments(), name)
    }


def _share_text(value: int) -> str:
    whole, rest = divmod(value, 10_000_000)
    return f"{whole}.{rest:07}".rstrip("0").rstrip(".") + "%"


_WRITE: dict[Callable[[str], Any], Callable[[Any], object]] = {
    read_share: _share_text,
    read_line_time: lambda value: f"{value}us",
    _baud: str,
    units.read_burst: lambda value: ",".join(map(_share_text, value)),
    units.read_frame_number: lambda value: list(map(str, value)),
    units.read_bit: lambda value: [f"{each.frame}:{each.byte}.{each.bit}" for each in value],
    read_message_name: list,
    units.read_outage: lambda value: [f"{each.span}us@{each.begin}us" for each in value],
}
