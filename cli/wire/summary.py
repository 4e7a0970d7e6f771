"""What was taken apart, in a line or as JSON."""

from collections.abc import Mapping
from typing import Any

from mockpump.cli.wire.decode import Payload, Stretch, brief
from mockpump.protocol.fields import Record
from mockpump.protocol.framing import Frame, Kind, RejectedFrame
from mockpump.protocol.messages.base import Message


def summary(stretch: Stretch) -> str:
    """A stretch on one line, the fields of its message included."""
    if isinstance(stretch.found, RejectedFrame):
        return f"rejected: {stretch.found.reason.name}"
    frame = stretch.found
    words = [frame.kind.name, f"{frame.connection:#06x}"]
    if frame.kind is Kind.DATA:
        words.append(f"seq {frame.seq}")
    if frame.kind in (Kind.DATA, Kind.ACK, Kind.CLOSE):
        words.append(f"ack {frame.ack}")
    if frame.sack:
        words.append(f"sack {frame.sack:#06x}")
    if stretch.payload.seal is not None:
        words.append(f"sealed {stretch.payload.seal.counter}")
    content = stretch.payload.fault or content_summary(stretch.payload.content)
    return " ".join(words) + (f": {content}" if content else "")


def content_summary(content: Record | None) -> str:
    """A message or an offer on one line."""
    if content is None:
        return ""
    name = [type(content).__name__] if isinstance(content, Message) else []
    values = [f"{each}={brief(getattr(content, each))}" for each in content.__struct_fields__]
    return " ".join(name + values)


def stretch_json(stretch: Stretch) -> Mapping[str, Any]:
    """A stretch as an object that JSON can hold."""
    facts: dict[str, Any] = {
        "offset": stretch.offset,
        "good": stretch.good,
        "summary": summary(stretch),
        "delimiters": {"before": stretch.opened, "behind": stretch.closed},
        "bytes": stretch.encoded,
    }
    if isinstance(stretch.found, RejectedFrame):
        reason = stretch.found.reason
        return {**facts, "rejected": reason.name.lower(), "meaning": reason.value}
    frame = {name: getattr(stretch.found, name) for name in Frame.__struct_fields__}
    return {**facts, "frame": frame, **payload_json(stretch.payload)}


def payload_json(payload: Payload) -> Mapping[str, Any]:
    """A payload as an object that JSON can hold."""
    content = payload.content
    facts: dict[str, Any] = {}
    if content is not None:
        facts = {"content": type(content).__name__, "fields": content}
    if payload.seal is not None:
        facts = {"seal": payload.seal, **facts}
    return {**facts, "fault": payload.fault} if payload.fault else facts
