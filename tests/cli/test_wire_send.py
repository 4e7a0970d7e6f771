"""`mockpump wire send`, at the pump that runs inside the process."""

import json

import pytest
from outside import Command, in_process

from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.link.link import OFFER
from mockpump.protocol.link.types import LinkSettings

DEMO = ("wire", "send", "--port", "mockpump://demo")
OPEN = encode_frame(Frame(Kind.OPEN, 0x6968, payload=OFFER.encode(LinkSettings().offer())))


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


def frames_shown(out: str) -> list[tuple[str, str]]:
    """The direction and the summary of each frame that was printed as JSON."""
    told = [json.loads(line) for line in out.splitlines()]
    return [(each["direction"], each["summary"].split(":")[0]) for each in told]


def test_hex_goes_out_as_it_is_and_what_comes_is_shown(command: Command) -> None:
    ended = command(*DEMO, "--json", "--for", "100ms", OPEN.hex(" "))
    assert ended.code == 0
    assert frames_shown(ended.out) == [("sent", "OPEN 0x6968"), ("came", "OPEN_ACK 0x6968")]


def test_a_message_goes_in_a_connection_of_its_own(command: Command) -> None:
    ended = command(*DEMO, "--open", "getstatus")
    assert ended.code == 0
    assert "payload    02" in ended.out
    assert "GetStatus: programmer to pump, answered by" in ended.out
    assert "Status: pump to programmer, in answer" in ended.out
    assert "CLOSE" in ended.out


def test_a_transaction_that_is_not_given_is_drawn(command: Command) -> None:
    drawn = command(*DEMO, "--open", "Suspend")
    assert drawn.code == 0
    assert "transaction = " in drawn.out
    assert "transaction = 77" in command(*DEMO, "--open", "Suspend", "transaction=77").out


def test_a_refusal_is_an_exit_code(command: Command) -> None:
    ended = command(*DEMO, "--open", "CancelBolus")
    assert ended.code == 1
    assert "refused" in ended.line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("xyz",), "'xyz' is neither hex nor a message"),
        (("Status",), "Status is said by the pump"),
        (("Suspend", "colour=red"), "Suspend has no field 'colour'"),
        (("StartBolus",), "StartBolus needs kind="),
        (("00", "--for", "soon"), "'--for': invalid time 'soon'"),
    ],
)
def test_what_cannot_be_sent_is_one_line(
    command: Command, words: tuple[str, ...], said: str
) -> None:
    ended = command(*DEMO, *words)
    assert ended.code == 2
    assert said in ended.err


def test_a_port_must_be_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOCKPUMP_PORT", raising=False)
    assert "--port" in command("wire", "send", "00").err
