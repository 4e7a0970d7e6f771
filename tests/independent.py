"""Byte stuffing and checksum once more, written from their definitions and from nothing else.

What the tests hold the project's framing against: slow, plain, and sharing no line with it.
"""


def crc16(data: bytes) -> int:
    """CRC-16/GENIBUS, bit by bit: polynomial 0x1021, begun and ended with all bits turned over."""
    register = 0xFFFF
    for byte in data:
        for place in range(7, -1, -1):
            feedback = register >> 15 ^ byte >> place & 1
            register = register << 1 & 0xFFFF
            if feedback:
                register ^= 0x1021
    return register ^ 0xFFFF


def stuff(body: bytes) -> bytes:
    """COBS: each block is its length plus one, then its bytes; a block under 255 implies a zero."""
    out, block = bytearray(), bytearray()
    for at, byte in enumerate(body):
        if byte:
            block.append(byte)
        if not byte or len(block) == 254:
            out += bytes([len(block) + 1]) + block
            block.clear()
            if byte and at == len(body) - 1:
                # A full block at the very end: there is no zero behind it to imply.
                return bytes(out)
    return bytes(out) + bytes([len(block) + 1]) + bytes(block)


def unstuff(encoded: bytes) -> bytes:
    """COBS undone; `ValueError` for what is the encoding of nothing."""
    out, at = bytearray(), 0
    while at < len(encoded):
        code = encoded[at]
        block = encoded[at + 1 : at + code]
        if code == 0 or len(block) != code - 1 or 0 in block:
            raise ValueError(f"no block at {at}")
        out += block
        at += code
        if code < 255 and at < len(encoded):
            out.append(0)
    return bytes(out)


def with_crc(content: bytes) -> bytes:
    """Header and payload, followed by their checksum."""
    return content + crc16(content).to_bytes(2, "big")


def on_the_line(content: bytes) -> bytes:
    """A whole frame, both delimiters included, around any header and payload."""
    return b"\0" + stuff(with_crc(content)) + b"\0"


def frames_in(line: bytes) -> list[bytes]:
    """The pieces between two delimiters, still stuffed, that are whole frames."""
    return [piece for piece in line.split(b"\0")[:-1] if piece and _is_frame(piece)]


def _is_frame(piece: bytes) -> bool:
    try:
        body = unstuff(piece)
    except ValueError:
        return False
    whole = 9 <= len(body) <= 1009 and with_crc(body[:-2]) == body
    return whole and 0x11 <= body[0] <= 0x16
