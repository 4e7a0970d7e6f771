"""A clean line takes exactly as long as its baud rate says, ten bits a byte."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.world.line import CleanLine


@given(st.integers(0, 10**6), st.integers(1, 10**7))
def test_a_byte_is_ten_bits(size: int, baud: int) -> None:
    assert CleanLine(0, baud).duration(size) == ceil(Fraction(size * 10 * 10**6, baud))


@given(st.integers(0, 10**6))
def test_without_a_baud_rate_it_takes_no_time(size: int) -> None:
    assert CleanLine().duration(size) == 0


@pytest.mark.parametrize(("baud", "expected"), [(9_600, 1_042), (115_200, 87), (300, 33_334)])
def test_one_byte(baud: int, expected: int) -> None:
    assert CleanLine(0, baud).duration(1) == expected
