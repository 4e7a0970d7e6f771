"""A story is read strictly: what is wrong with it is found before anything of it is told.

A key that nobody knows, a value of another type or out of its range, a step without or with more
than one deed: each is a `StoryError` that says where, and what would have been right.
"""

import re
from difflib import get_close_matches
from typing import Any

import msgspec

from mockpump.emulator.channel.impairments import read_impairments
from mockpump.emulator.channel.quantities import BadQuantity
from mockpump.emulator.pump.device import LAST_SECOND
from mockpump.emulator.pump.faults import Fault
from mockpump.emulator.wording.names import choice_name
from mockpump.emulator.world.story import (
    ASKING,
    DEEDS,
    BolusPart,
    ExpectPart,
    LimitsPart,
    PicturePart,
    ProgrammerPart,
    ProgramPart,
    PumpPart,
    RefillPart,
    RoutePart,
    Step,
    Story,
    StoryError,
    TempPart,
    moment,
    span,
)
from mockpump.protocol import messages as m
from mockpump.protocol import toml_text
from mockpump.protocol.fields import Record, fields_of
from mockpump.protocol.link_settings import Offer
from mockpump.protocol.messages import Alarm, Reason
from mockpump.protocol.toml_text import BadToml

# Bytes of a scenario; the examples have a few thousand.
MAX_TEXT = 262_144

# What is under which key.
# Each table of a scenario by its key; the scenario itself has none.
PARTS: dict[str, type[msgspec.Struct]] = {
    "": Story,
    "pump": PumpPart,
    "limits": LimitsPart,
    "programmer": ProgrammerPart,
    "step": Step,
    "expect": ExpectPart,
    "program": ProgramPart,
    "power_cut": ProgramPart,
    "bolus": BolusPart,
    "temp": TempPart,
    "refill": RefillPart,
    "picture": PicturePart,
    "route": RoutePart,
}
# The part of a story, and the record that carries what is under those keys; the names may differ.
_CARRIERS: dict[str, tuple[type[Record], dict[str, str]]] = {
    "bolus": (m.StartBolus, {"volume": "volume", "over": "duration"}),
    "temp": (m.SetTemporary, {"percent": "percent", "span": "duration"}),
    "refill": (m.Refill, {"volume": "volume", "concentration": "concentration"}),
    "limits": (m.SetLimits, {name: name for name in ("rate", "bolus", "daily", "rise")}),
    "programmer": (Offer, {"window": "window", "payload": "max_payload"}),
}


def load_story(text: str, name: str) -> Story:
    """The story in a TOML text; `StoryError` names the file and the place."""
    try:
        story = msgspec.convert(toml_text.parse(text, MAX_TEXT), Story)
        for number, step in enumerate(story.step, start=1):
            _check_step(number, step)
        _check_amounts("programmer", story.programmer)
        _check_words(story)
        _check_life(story)
        read_impairments(story.channel)
        span(story.sample)
        moment(story.pump.clock)
    except (BadToml, msgspec.ValidationError, StoryError, BadQuantity) as error:
        raise StoryError(f"{name}: {error}{_nearest(str(error))}") from None
    except RecursionError:
        raise StoryError(f"{name}: it is nested too deeply") from None
    return story


def _nearest(error: str) -> str:
    """The right key that is nearest to an unknown one in an error of msgspec's."""
    unknown = re.search(r"unknown field `(.*?)`(?: - at `\$.*?(\w*)(?:\[\d+\])?`)?$", error)
    if unknown is None:
        return ""
    near = get_close_matches(unknown[1], PARTS[unknown[2] or ""].__struct_fields__, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _check_words(story: Story) -> None:
    """What a terminal should not get is no word."""
    said = [story.name, story.title, *(step.say for step in story.step)]
    odd = {each for text in said for each in text if not (each.isprintable() or each in "\n\t")}
    if odd:
        raise StoryError(f"there is a character in it that cannot be printed: {min(odd)!a}")


def _check_life(story: Story) -> None:
    """A pump that has come to the end of its life never gets any older."""
    ages = [span(step.at) for step in story.step if step.at is not None]
    lived = sum(span(step.live) for step in story.step if step.live is not None)
    if max([lived, *ages]) > LAST_SECOND:
        raise StoryError(f"no pump comes to live longer than {LAST_SECOND:,} s")


def _check_step(number: int, step: Step) -> None:
    _check_values(number, step)
    deeds = [name for name in DEEDS if getattr(step, name) is not None]
    if len(deeds) > 1:
        raise StoryError(f"step {number} does {' and '.join(deeds)}: one deed a step")
    if not (deeds or step.say or step.at or isinstance(step.expect, ExpectPart)):
        raise StoryError(f"step {number} neither says nor does anything")
    refusable = bool(deeds) and deeds[0] in ASKING
    if isinstance(step.expect, str) and step.expect and not refusable:
        raise StoryError(f"step {number}: nobody is asked, so nobody can refuse it")
    if any(getattr(step, name) is False for name in DEEDS):
        raise StoryError(f"step {number}: a deed is done or left out; there is no `false`")


def _check_values(number: int, step: Step) -> None:
    """What can be wrong with the texts of a step, found before the story begins."""
    try:
        for text in (step.at, step.live, step.wait):
            if text is not None:
                span(text)
        if step.clock is not None:
            moment(step.clock)
        if step.channel is not None:
            read_impairments(step.channel)
        for name in DEEDS:
            _check_amounts(name, getattr(step, name))
        _check_names(step)
    except (StoryError, BadQuantity) as error:
        raise StoryError(f"step {number}: {error}") from None


def _check_names(step: Step) -> None:
    if isinstance(step.expect, str):
        _check_reason(step.expect)
    for known, name in ((Fault, step.fault), (Fault, step.clear), (Alarm, step.acknowledge)):
        if name is not None and name.upper().replace("-", "_") not in known.__members__:
            names = ", ".join(choice_name(each) for each in known)
            raise StoryError(f"there is no {known.__name__.lower()} {name!r}; there are {names}")


def _check_reason(reason: str) -> None:
    known = ["anything", *(each.name.lower() for each in Reason)]
    if reason and reason not in known:
        near = get_close_matches(reason, known, n=1)
        advice = f"; did you mean {near[0]!r}?" if near else ""
        raise StoryError(f"the pump gives no reason {reason!r}{advice}")


def _check_amounts(name: str, part: Any) -> None:
    """An amount must be one that its message can carry."""
    record, names = _CARRIERS.get(name, (None, {}))
    if record is None or part is None:
        return
    declared: dict[str, Any] = dict(fields_of(record))
    for key, field in names.items():
        written, bounds = getattr(part, key), declared[field]
        value = span(written) if isinstance(written, str) else written
        if value is not None and not bounds.minimum <= value <= bounds.maximum:
            unit = f" {bounds.unit}" if bounds.unit else ""
            raise StoryError(f"{name}.{key} is {written}, and not within {bounds.rule}{unit}")
