"""What shows each defect of exercise 3, in a few lines."""

from mockpump.protocol.framing import MAX_ENCODED, Frame, FrameDecoder, Kind, encode_frame

FRAME = Frame(Kind.DATA, 1, payload=b"hello")


def cut_before_the_end() -> str:
    decoder, data = FrameDecoder(), encode_frame(FRAME)
    return repr(decoder.receive_data(data[:-1]) + decoder.receive_data(data[-1:]))


def in_one_breath() -> str:
    return repr(FrameDecoder().receive_data(b"\x09x\x00" + encode_frame(FRAME)))


def after_a_long_silence_of_zeros() -> str:
    decoder = FrameDecoder()
    decoder.receive_data(b"\x55" * (MAX_ENCODED + 1))
    data = encode_frame(FRAME)
    return repr(decoder.receive_data(data[:9]) + decoder.receive_data(data[9:]))


def too_much_of_nothing() -> int:
    return len(FrameDecoder().receive_data(b"\x55" * (MAX_ENCODED + 1)))


def counted() -> int:
    decoder = FrameDecoder()
    for _ in range(3):
        decoder.receive_data(b"\x55" * (MAX_ENCODED + 1))
    decoder.receive_data(b"\x00")
    return decoder.discarded
