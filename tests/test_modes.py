"""The table of modes: every mode x every input is a cell or is refused, and fault is for good."""

import pytest

from mockpump.emulator.pump.modes import MODES, ModeInput, allows, following
from mockpump.protocol.messages import Mode

EXPECTED = {
    (Mode.STOPPED, ModeInput.PROGRAM): Mode.RUNNING,
    (Mode.RUNNING, ModeInput.PROGRAM): Mode.RUNNING,
    (Mode.RUNNING, ModeInput.SUSPEND): Mode.SUSPENDED,
    (Mode.RUNNING, ModeInput.EMPTY): Mode.FAULT,
    (Mode.SUSPENDED, ModeInput.PROGRAM): Mode.SUSPENDED,
    (Mode.SUSPENDED, ModeInput.RESUME): Mode.RUNNING,
    (Mode.FAULT, ModeInput.PROGRAM): Mode.FAULT,
}


@pytest.mark.parametrize("event", ModeInput)
@pytest.mark.parametrize("mode", Mode)
def test_every_cell(mode: Mode, event: ModeInput) -> None:
    expected = EXPECTED.get((mode, event))
    assert allows(mode, event) == (expected is not None)
    if expected is None:
        with pytest.raises(KeyError):
            following(mode, event)
    else:
        assert following(mode, event) is expected


def test_the_table_has_every_mode() -> None:
    assert set(MODES) == set(Mode)


def test_every_mode_can_be_reached_and_only_fault_is_for_good() -> None:
    assert {mode for row in MODES.values() for mode in row.values()} == set(Mode) - {Mode.STOPPED}
    final = [mode for mode in Mode if not set(MODES[mode].values()) - {mode}]
    assert final == [Mode.FAULT]
