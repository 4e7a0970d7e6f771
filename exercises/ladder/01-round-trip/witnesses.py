"""What shows each defect of exercise 1, in a few lines."""

from mockpump.protocol import messages as m
from mockpump.protocol.errors import MockpumpError


def _said(work: object) -> str:
    try:
        return repr(work())  # type: ignore[operator]
    except MockpumpError as error:
        return type(error).__name__


def something_behind() -> str:
    return _said(lambda: m.decode(m.encode(m.WriteProgram(0, b"abc")) + b"d"))


def the_highest_clock() -> str:
    return _said(lambda: m.encode(m.SetClock(1, 2**31 - 1)))


def a_long_piece() -> str:
    return _said(lambda: m.encode(m.WriteProgram(0, bytes(300))))


def bytes_of_the_document() -> str:
    return m.encode(m.ClockSet(before=3_600, clock=0)).hex()


def a_bolus_of_nothing() -> str:
    return _said(lambda: m.encode(m.StartBolus(1, m.BolusKind.BOLUS, 0, 60)))


def no_utf8() -> str:
    payload = bytearray(m.encode(m.Identity(1, 2, 3, 4, "ab")))
    payload[-1] = 0xFF
    return _said(lambda: m.decode(bytes(payload)))
