"""An error says who is at fault: the caller, the other side, or this project."""

import pytest

from mockpump.protocol import errors
from mockpump.protocol.errors import (
    DecodeError,
    InternalError,
    LocalProtocolError,
    MockpumpError,
    RemoteProtocolError,
)

AT_FAULT = [LocalProtocolError, RemoteProtocolError, InternalError]


@pytest.mark.parametrize("fault", AT_FAULT)
def test_whoever_catches_one_fault_does_not_catch_another(fault: type[Exception]) -> None:
    others = [other for other in AT_FAULT if other is not fault]
    assert not any(issubclass(fault, other) for other in others)


def test_every_error_has_the_root_and_a_doc() -> None:
    found = [each for each in vars(errors).values() if isinstance(each, type)]
    assert len(found) == 5
    for each in found:
        assert issubclass(each, MockpumpError)
        assert each.__doc__


def test_bytes_that_mean_nothing_are_the_other_sides_fault() -> None:
    assert issubclass(DecodeError, RemoteProtocolError)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (DecodeError("empty payload"), "empty payload"),
        (DecodeError("1 bytes too many", message="Status"), "Status: 1 bytes too many"),
        (DecodeError("not 0..3", message="Status", field=1, name="mode"), "Status.mode: not 0..3"),
    ],
)
def test_a_decode_error_shows_where_and_what(error: DecodeError, shown: str) -> None:
    assert str(error) == shown


def test_a_decode_error_carries_its_parts() -> None:
    error = DecodeError("not 0..3", message="Status", field=1, name="mode")
    assert (error.rule, error.message, error.field, error.name) == ("not 0..3", "Status", 1, "mode")
    bare = DecodeError("empty payload")
    assert (bare.rule, bare.message, bare.field, bare.name) == ("empty payload", "", 0, "")
