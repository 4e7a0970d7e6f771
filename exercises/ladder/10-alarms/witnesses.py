"""What shows each defect of exercise 10, in a few lines."""

from mockpump.emulator.pump.alarms import AlarmPanel
from mockpump.protocol.messages import Alarm


def _showing(*alarms: Alarm) -> AlarmPanel:
    panel = AlarmPanel()
    for second, alarm in enumerate(alarms):
        panel.show(alarm, second)
    return panel


def small_after_big() -> str:
    return _showing(Alarm.EMPTY, Alarm.RESTARTED).priority.name


def seen_but_there() -> str:
    panel = _showing(Alarm.LOW_BATTERY)
    panel.acknowledge(Alarm.LOW_BATTERY)
    return panel.priority.name


def reported_again() -> bool:
    panel = _showing(Alarm.LOW_BATTERY)
    panel.acknowledge(Alarm.LOW_BATTERY)
    panel.show(Alarm.LOW_BATTERY, 9)
    panel.end(Alarm.LOW_BATTERY)
    return Alarm.LOW_BATTERY in panel.shown


def the_other_of_two() -> bool:
    panel = _showing(Alarm.EMPTY, Alarm.STALLED)
    panel.acknowledge(Alarm.EMPTY)
    return panel.shown[Alarm.STALLED].acknowledged


def the_motor_after_a_nod() -> bool:
    panel = _showing(Alarm.STALLED)
    panel.acknowledge(Alarm.STALLED)
    return panel.stopping


def a_copy_put_aside() -> bool:
    panel = _showing(Alarm.LOW_BATTERY)
    aside = panel.copy()
    panel.acknowledge(Alarm.LOW_BATTERY)
    return aside.shown[Alarm.LOW_BATTERY].acknowledged
