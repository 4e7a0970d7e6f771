"""docs/PROTOCOL.md: its generated parts are fresh, its examples true, and nothing is left out."""

import re
from pathlib import Path

import pytest
from cobs import cobs

from mockpump.cli.programmer.recovery import _BUSY_CALLS, _PAUSE
from mockpump.cli.wire.decode import content_parts, program_of, stretches, summary
from mockpump.cli.wire.explain import BLOCKS
from mockpump.cli.wire.input import from_hex
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.programmer import REPLY_TIMEOUT
from mockpump.emulator.programmer.request_batch import MOST_REPEATS
from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.pairing import Pairing
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.transports.blocking_programmer import _DRAWS
from mockpump.emulator.transports.tcp import TcpBounds
from mockpump.protocol import program as programs
from mockpump.protocol.framing import CHECKSUM, Frame, FrameDecoder, Kind, RejectReason
from mockpump.protocol.keys import parse_key
from mockpump.protocol.link.arq import REORDERING
from mockpump.protocol.link.link import REMEMBERED_CONNECTIONS
from mockpump.protocol.link.states import State
from mockpump.protocol.link.timer import LONGEST_MEASURED
from mockpump.protocol.link.types import CloseReason, DropReason, LinkSettings
from mockpump.protocol.log import ENTRY_SIZE, chain, entries_of
from mockpump.protocol.messages import (
    OUTCOMES,
    Access,
    Alarm,
    Hello,
    Identity,
    LogKind,
    LogPiece,
    Mode,
    Reason,
    Welcome,
)
from mockpump.protocol.messages.base import CATALOGUE, decode
from mockpump.protocol.session import SCHEDULE, SessionKeys, transcript
from mockpump.reference.markdown import render

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "PROTOCOL.md").read_text("utf-8")
PROSE = re.sub("<!-- generated.*?<!-- end generated -->", "", TEXT, flags=re.DOTALL)


def fences(language: str) -> list[list[tuple[bytes, str]]]:
    """The fenced blocks of a language, each a list of bytes and remarks."""
    found = []
    for block in re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        pairs = (line.split("#", 1) for line in block.splitlines())
        found.append([(from_hex(data), remark.strip()) for data, remark in pairs])
    return found


FRAMES = fences("tide")
EXCHANGES = [block for block in FRAMES if " OPEN 0x" in block[0][1]]
LINES = [line for block in FRAMES for line in block]


def test_the_generated_parts_are_fresh() -> None:
    """When this fails: mockpump wire spec docs/PROTOCOL.md"""
    assert render(TEXT, BLOCKS) == TEXT


@pytest.mark.parametrize("name", BLOCKS)
def test_every_generated_part_is_in_it(name: str) -> None:
    assert TEXT.count(f"<!-- generated: {name} -->") == 1


def test_it_says_up_front_that_it_is_fictional() -> None:
    assert "fictional" in TEXT.splitlines()[2]


# -- examples ------------------------------------------------------------------------------------


def test_there_are_examples_of_everything() -> None:
    assert len(FRAMES) == 6
    assert len(EXCHANGES) == 5
    remarks = " ".join(remark for _, remark in LINES)
    assert all(f" {kind.name} 0x" in remarks for kind in Kind if kind is not Kind.RESET)
    shown = set(re.findall(r"rejected: (\w+)", remarks))
    assert shown == {reason.name for reason in RejectReason} - {"TOO_LONG"}


@pytest.mark.parametrize(("data", "remark"), LINES)
def test_every_frame_is_what_its_remark_says(data: bytes, remark: str) -> None:
    (stretch,) = stretches(data)
    assert stretch.opened
    assert stretch.closed
    arrow, said = remark.split(" ", 1)
    assert arrow in ("->", "<-")
    assert said.partition("; ")[0] == summary(stretch)


def payloads(data: bytes) -> list[bytes]:
    found = FrameDecoder().receive_data(data)
    return [f.payload for f in found if isinstance(f, Frame) and f.kind is not Kind.ACK]


def port_for(block: list[tuple[bytes, str]]) -> Endpoint:
    """A pump as the examples have it: open, or with the keys and the nonce of section 9.8."""
    if not any(" Hello " in remark for _, remark in block):
        return Endpoint(new_pump(PumpIdentity(name="example")))
    memory = RamMemory()
    pairing = Pairing(clinician=CLINICIAN)
    initialize(memory, PumpConfig(PumpIdentity(name="example"), pairing=pairing))
    return Endpoint(Pump(memory), draw=lambda size: bytes(range(0xA0, 0xA0 + size)))


CLINICIAN = bytes.fromhex(*re.findall(r"clinician's key `(\w{40})`", PROSE))


def test_the_keys_of_the_session_are_those_that_are_written_down() -> None:
    greeting = next(block for block in EXCHANGES if " Hello " in str(block))
    said = [decode(each) for data, _ in greeting[2:6] for each in payloads(data)]
    _, identity, hello, welcome = said
    assert isinstance(identity, Identity)
    assert isinstance(hello, Hello)
    assert isinstance(welcome, Welcome)
    keys = SessionKeys(CLINICIAN, identity, hello, welcome)
    for name in SCHEDULE:
        assert re.search(rf"^    {name} +{getattr(keys, name).hex()}$", PROSE, re.MULTILINE)
    written = transcript(identity, hello, welcome).hex()
    assert re.search(rf"^    transcript +{written}$", PROSE, re.MULTILINE)


def test_the_key_that_is_shown_is_one() -> None:
    (text,) = re.findall(r"^    (observer-\S+)$", PROSE, re.MULTILINE)
    assert parse_key(text).access is Access.OBSERVER


@pytest.mark.parametrize("block", EXCHANGES)
def test_a_pump_answers_as_the_exchanges_say(block: list[tuple[bytes, str]]) -> None:
    port = port_for(block)
    expected, answered = [], []
    for now, (data, remark) in enumerate(block):
        if remark.startswith("<-"):
            expected += payloads(data)
        elif "lost on the way" not in remark:
            port.receive_data(data, now)
            answered += payloads(port.data_to_send(now))
    assert answered == expected
    assert len(expected) >= 2


def test_the_retransmissions_are_the_same_bytes_again() -> None:
    for block in FRAMES[1:3]:
        (lost,) = (data for data, remark in block if "lost on the way" in remark)
        assert [data for data, _ in block].count(lost) == 2
    (gap,) = (block for block in FRAMES if any("sack" in remark for _, remark in block))
    proofs = [remark for _, remark in gap if remark.startswith("<- ACK")]
    assert len(proofs) == REORDERING


def test_the_frame_taken_apart_is_the_second_of_the_exchange() -> None:
    (line,), (body,) = fences("tide-line"), fences("tide-body")
    frame = b"".join(data for data, _ in line)
    assert frame == FRAMES[0][1][0]
    assert cobs.decode(frame.strip(b"\0")) == b"".join(data for data, _ in body)


def test_the_log_is_what_the_pump_gave_and_its_chain_is_what_the_remarks_say() -> None:
    (lines,) = fences("tide-log")
    (payload,) = (payloads(data)[0] for data, remark in LINES if " LogPiece " in remark)
    piece = decode(payload)
    assert isinstance(piece, LogPiece)
    assert piece.entries == b"".join(data for data, _ in lines)
    reached = piece.before
    for (_, remark), entry in zip(lines, entries_of(piece.entries), strict=True):
        reached = chain(reached, [entry])
        figures = f"first={entry.first} second={entry.second}"
        assert entry.elapsed == entry.clock == 0
        assert remark == f"{entry.kind.name} {figures}: {reached.hex()}"
    assert reached == piece.newest_chain


def test_the_image_is_the_program_that_its_remarks_describe() -> None:
    (lines,) = fences("tide-image")
    image = b"".join(data for data, _ in lines)
    found = program_of(image)
    assert not found.fault
    assert isinstance(found.content, programs.Program)
    parts = list(content_parts(found.content, image))
    assert [(part.data, part.text) for part in parts] == lines
    assert f"`{programs.digest(image).hex()}`" in PROSE
    for percent in (100, 110):
        units = programs.daily_volume(found.content, 0, percent)
        assert f"{units // programs.UNITS_PER_NL:,} nL" in " ".join(PROSE.split())


def test_what_the_checksum_does_not_promise_is_as_it_says() -> None:
    """A flipped bit of a COBS code byte, and a frame that nobody sent."""
    (sent, came) = (from_hex(line) for line in re.findall(r"^    (00 12 13 [\w ]+)$", PROSE, re.M))
    assert [place for place in range(len(sent)) if sent[place] != came[place]] == [19]
    assert sent[19] ^ came[19] == 1 << 2
    (good,) = FrameDecoder().receive_data(sent)
    forged, _ = FrameDecoder().receive_data(came)
    assert isinstance(good, Frame)
    assert isinstance(forged, Frame)
    assert (good.payload[:8], forged.payload) == (b"forged!!", b"forged!!")
    assert good.payload != forged.payload


# -- nothing left out ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *(entry.name for entry in CATALOGUE.values()),
        *(member.name for kind in (State, Mode, Kind, CloseReason, DropReason) for member in kind),
        *(member.name for member in RejectReason),
        *LinkSettings.__struct_fields__,
    ],
)
def test_every_name_is_in_it(name: str) -> None:
    assert re.search(rf"\b{name}\b", TEXT)


@pytest.mark.parametrize("reason", Reason)
def test_people_have_written_when_the_pump_refuses(reason: Reason) -> None:
    assert f"\n| `{reason.name}` | " in PROSE


@pytest.mark.parametrize("kind", LogKind)
def test_people_have_written_when_each_log_entry_is_written(kind: LogKind) -> None:
    assert re.search(rf"^\| (`\w+`, )*`{kind.name}`(, `\w+`)* \| [^|]+ \|$", PROSE, re.MULTILINE)


@pytest.mark.parametrize("alarm", Alarm)
def test_the_table_of_alarms_has_every_alarm(alarm: Alarm) -> None:
    assert re.search(rf"^\| `{alarm.name}` \| [^|]+ \| (LOW|MEDIUM|HIGH) \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize("reason", RejectReason)
def test_people_have_written_in_which_order_frames_are_judged(reason: RejectReason) -> None:
    place = list(RejectReason).index(reason) + 1
    assert re.search(rf"\n{place}\. [^:]*:\s+`{reason.name}`\.", PROSE)


def test_the_figures_of_the_programmer_in_the_prose() -> None:
    prose = " ".join(PROSE.split())
    assert "this programmer draws four times at the most" in prose
    assert _DRAWS == 4
    assert 2**16 // REMEMBERED_CONNECTIONS == 8_192
    assert "one draw in 8,192 meets a remembered id" in prose
    assert "This programmer does so three times for what it has asked at once" in prose
    assert MOST_REPEATS == 3
    assert "at least 0 and below 64" in prose
    assert "the pump remembers the newest 64" in prose
    assert OUTCOMES == 64
    # So long it asks a pump that is busy with its own lost session, a second between two calls.
    assert LinkSettings().idle_timeout < _PAUSE * _BUSY_CALLS * 1_000_000


def test_the_figures_in_the_prose() -> None:
    assert f"this one waits {REPLY_TIMEOUT // 1_000_000} s" in PROSE
    assert f"`{programs.digest(b'').hex()}`" in PROSE
    assert f"The checksum is {CHECKSUM} over header and payload" in PROSE
    assert f"always {ENTRY_SIZE} long" in " ".join(PROSE.split())
    assert "at least three transmissions later" in " ".join(PROSE.split())
    assert REORDERING == 3
    bounds = TcpBounds()
    assert f"for {bounds.idle // 1_000_000} s of line time" in " ".join(PROSE.split())
    assert f"more than {bounds.introduction:,} bytes without a session" in " ".join(PROSE.split())
    assert f"At most {bounds.lobby} such clients" in " ".join(PROSE.split())
    assert f"if that has waited for {bounds.grace // 1_000} ms" in " ".join(PROSE.split())
    assert f"at most {LONGEST_MEASURED // 1_000_000} s (RFC 6298" in " ".join(PROSE.split())
    settings = LinkSettings()
    assert settings.idle_timeout > 3 * settings.keepalive


def test_its_paragraphs_are_wrapped() -> None:
    prose = re.sub("^```.*?^```$", "", PROSE, flags=re.MULTILINE | re.DOTALL)
    assert not [line for line in prose.splitlines() if len(line) > 110 and line[0] != "|"]


def test_its_links_lead_somewhere() -> None:
    heads = re.findall(r"^#+ (.*)$", PROSE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
    assert set(re.findall(r"\]\(#([^)]*)\)", PROSE)) <= anchors
