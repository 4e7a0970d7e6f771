"""A programmer that waits for each answer, over a pty, a serial port or a TCP address.

from mockpump.serial import connect

with connect("mockpump://demo") as programmer:
    print(programmer.status().delivered, "nL")
"""

from mockpump.emulator.programmer.client import PumpClient
from mockpump.emulator.programmer.handshake import open_session
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.protocol.keys import PairingKey, parse_key
from mockpump.protocol.link.types import LinkSettings

__all__ = ["connect"]


def connect(
    url: str, key: str | PairingKey | None = None, *, settings: LinkSettings | None = None
) -> PumpClient:
    """Call the pump at the other end, in a session with a pairing key if one is given.

    `url` is a path such as `/dev/pts/3`, `tcp:HOST:PORT`, `mockpump://demo` (a pump inside this
    process) or any URL of pyserial's; `key` is one as `mockpump pump new` prints it.  Connection
    ids, transactions and nonces are drawn for you.  Nothing is sent between two calls: after 16
    seconds without one the pump takes the programmer for gone, and the next raises
    `ConnectionLost`.

    `PortError` when the port cannot be opened, `ConnectionLost` when no pump answers, `BadKey` for
    a key with a typing error, `SessionRefused` when the pump does not accept it.

    >>> with connect("mockpump://demo") as programmer:
    ...     programmer.identify().name
    'demo'
    """
    pairing_key = parse_key(key) if isinstance(key, str) else key
    device = SerialProgrammer(url, settings)
    try:
        if pairing_key is None:
            terms = device.call()
        else:
            terms = device.call(lambda: open_session(lambda _: pairing_key, drawing.nonce()))
    except BaseException:
        device.close()
        raise
    return PumpClient(device.run, drawing.transaction, device.close, terms)
