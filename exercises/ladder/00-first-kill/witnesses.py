"""What shows each defect of exercise 0, in a line or two."""

from mockpump.protocol.units import BadQuantity, read_duration


def _read(text: str, longest: int = 1_000_000) -> str:
    try:
        return str(read_duration(text, longest))
    except BadQuantity:
        return "refused"


def an_hour() -> str:
    return _read("1h")


def an_hour_and_a_half() -> str:
    return _read("1h30m")


def nothing_at_all() -> str:
    return _read("0s")


def just_as_long() -> str:
    return _read("60s", 60)
