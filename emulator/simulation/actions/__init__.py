"""The actions of a scenario: each a struct that says all there is about it, and runs itself.

This list is the only one: what a step may do, the schema, the guide and the advice after a typing
mistake all follow from it.
"""

from mockpump.emulator.simulation.actions.action import Action
from mockpump.emulator.simulation.actions.line import Attack, ChangeLine, HangUp, Rival
from mockpump.emulator.simulation.actions.mishaps import ClearFault, InjectFault, Reboot
from mockpump.emulator.simulation.actions.passing import Live, Wait
from mockpump.emulator.simulation.actions.programs import SetProgram, SweepPowerCuts
from mockpump.emulator.simulation.actions.requests import (
    Acknowledge,
    Bolus,
    CancelBolus,
    Clock,
    Limits,
    Ramp,
    Refill,
    Resume,
    Suspend,
    Temp,
)
from mockpump.emulator.simulation.actions.show import Poll, Show

ACTIONS: tuple[type[Action], ...] = (
    *(Live, Wait),
    *(SetProgram, Bolus, CancelBolus, Temp, Suspend, Resume, Refill, Clock, Ramp, Limits),
    *(Acknowledge, Show, Poll),
    *(InjectFault, ClearFault, Reboot, SweepPowerCuts),
    *(ChangeLine, HangUp, Rival, Attack),
)
