"""Fuzzing the frame decoder: whatever comes, what it says is what an independent reading says.

Checked for every input: the verdict on each piece between two delimiters is that of byte stuffing
and checksum written once more, and of construct for the header; the chunking makes no difference;
the buffer stays below one frame; every byte turned down is counted; and the next good frame is
found.
"""

from independent import unstuff, with_crc
from shaping import line

from mockpump.protocol import construct_codec as reference
from mockpump.protocol.framing import (
    HEADER_SIZE,
    MAX_ENCODED,
    MAX_PAYLOAD,
    OVERHEAD,
    Frame,
    FrameDecoder,
    Header,
    Kind,
    RejectedFrame,
    encode_frame,
)

GOOD = Frame(Kind.DATA, 0x1234, 5, 6, 7, b"\x01")
# Header fields of a piece that is a frame, with its payload; None for one that is not.
Verdict = tuple[int, int, int, int, int, bytes] | None


def check(data: bytes) -> None:
    """Raise AssertionError when the decoder breaks one of its promises on this input."""
    chunks = line(data)
    stream = b"".join(chunks)
    decoder, found = FrameDecoder(), list[Frame | RejectedFrame]()
    for chunk in chunks:
        found += decoder.receive_data(chunk)
        assert len(decoder._partial) <= MAX_ENCODED, "more is kept than a frame can be"
    found += decoder.receive_data(b"\0")
    pieces = [piece for piece in stream.split(b"\0") if piece]
    verdicts = [verdict(piece) for piece in pieces]
    assert [_said(each) for each in found] == verdicts
    lost = [len(piece) for piece, said in zip(pieces, verdicts, strict=True) if said is None]
    assert (decoder.rejected, decoder.discarded) == (len(lost), sum(lost))
    whole = FrameDecoder()
    assert whole.receive_data(stream + b"\0") == found, "the chunking makes a difference"
    assert decoder.receive_data(encode_frame(GOOD)) == [GOOD]
    for each in found:
        if isinstance(each, Frame):
            assert FrameDecoder().receive_data(encode_frame(each)) == [each]


def _said(found: Frame | RejectedFrame) -> Verdict:
    if isinstance(found, RejectedFrame):
        assert len(found.raw) <= MAX_ENCODED + 1
        return None
    first = 1 << 4 | found.kind
    return first, found.connection, found.seq, found.ack, found.sack, found.payload


def verdict(piece: bytes) -> Verdict:
    """What a piece between two delimiters is, without the project's framing."""
    try:
        body = unstuff(piece)
    except ValueError:
        return None
    if not OVERHEAD <= len(body) <= OVERHEAD + MAX_PAYLOAD or with_crc(body[:-2]) != body:
        return None
    header = reference.decode(Header, body[:HEADER_SIZE])
    if header.version_kind >> 4 != 1 or not 1 <= header.version_kind & 15 <= 6:
        return None
    ours = (header.version_kind, header.connection, header.seq, header.ack, header.sack)
    return (*ours, body[HEADER_SIZE:-2])
