"""The table of modes: every mode x every input is a cell or is refused."""

import pytest

from mockpump.emulator.pump.modes import MODES, ModeInput, allows, following
from mockpump.protocol.messages import Mode

EXPECTED = {
    (Mode.STOPPED, ModeInput.PROGRAM): Mode.RUNNING,
    (Mode.STOPPED, ModeInput.FAULT): Mode.STOPPED,
    (Mode.STOPPED, ModeInput.CLEARED): Mode.STOPPED,
    (Mode.RUNNING, ModeInput.PROGRAM): Mode.RUNNING,
    (Mode.RUNNING, ModeInput.SUSPEND): Mode.SUSPENDED,
    (Mode.RUNNING, ModeInput.FAULT): Mode.FAULT,
    (Mode.RUNNING, ModeInput.CLEARED): Mode.RUNNING,
    (Mode.SUSPENDED, ModeInput.PROGRAM): Mode.SUSPENDED,
    (Mode.SUSPENDED, ModeInput.RESUME): Mode.RUNNING,
    (Mode.SUSPENDED, ModeInput.FAULT): Mode.FAULT,
    (Mode.SUSPENDED, ModeInput.CLEARED): Mode.SUSPENDED,
    (Mode.FAULT, ModeInput.PROGRAM): Mode.FAULT,
    (Mode.FAULT, ModeInput.FAULT): Mode.FAULT,
    (Mode.FAULT, ModeInput.CLEARED): Mode.SUSPENDED,
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


def test_nothing_but_somebody_starts_delivery() -> None:
    """Out of suspension and fault it takes a person: no alarm that goes away starts the motor."""
    starts = {
        (mode, event)
        for mode, row in MODES.items()
        for event, then in row.items()
        if then is Mode.RUNNING and mode is not Mode.RUNNING
    }
    assert starts == {(Mode.STOPPED, ModeInput.PROGRAM), (Mode.SUSPENDED, ModeInput.RESUME)}
