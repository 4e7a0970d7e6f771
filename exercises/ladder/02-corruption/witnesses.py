"""What shows each defect of exercise 2, in a few lines."""

from cobs import cobs

from mockpump.protocol.framing import Frame, FrameDecoder, Kind, checksum, encode_body

FRAME = Frame(Kind.DATA, 1, payload=b"hello")


def _received(body: bytes) -> str:
    return repr(FrameDecoder().receive_data(b"\x00" + cobs.encode(body) + b"\x00"))


def _damaged(frame: Frame, place: int) -> bytes:
    body = bytearray(encode_body(frame))
    body[place] ^= 1
    return bytes(body)


def a_damaged_checksum() -> str:
    return _received(_damaged(FRAME, -2))


def a_damaged_acknowledgement() -> str:
    return _received(_damaged(Frame(Kind.ACK, 1), 1))


def another_version() -> str:
    body = b"\x23" + encode_body(FRAME)[1:-2]
    return _received(body + checksum(body).to_bytes(2, "big"))


def a_body_cut_short() -> str:
    body = encode_body(FRAME)[:6]
    return _received(body + checksum(body).to_bytes(2, "big"))


def a_long_rejection() -> str:
    return _received(_damaged(Frame(Kind.DATA, 1, payload=bytes(range(1, 201))), 8))
