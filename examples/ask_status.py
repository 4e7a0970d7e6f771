import serial

from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.messages import GetStatus, decode, encode

serial.protocol_handler_packages.append("mockpump.emulator.transports")
port = serial.serial_for_url("mockpump://demo", timeout=0.2)
port.write(encode_frame(Frame(Kind.OPEN, 7, payload=bytes.fromhex("00f008"))))
port.write(encode_frame(Frame(Kind.DATA, 7, payload=encode(GetStatus()))))
for frame in FrameDecoder().receive_data(port.read(200)):
    if isinstance(frame, Frame) and frame.kind is Kind.DATA:
        print(decode(frame.payload))
