"""A programmer of one's own: pyserial for the bytes, mockpump's sans-IO connection for the rest.

Usage: python watch_pump.py PORT   (a pty, a socket://HOST:PORT, or mockpump://demo?speed=600)
Everything here is fictional; nothing connects to a real device.
"""

import sys
import time

import serial

from mockpump import messages as m
from mockpump.sansio import Connection, LinkClosed, LinkOpened, MessageReceived, Role


def now() -> int:
    """Line time in microseconds: any clock that never goes back will do."""
    return time.monotonic_ns() // 1000


def watch(url: str, reports: int) -> None:
    """Print so many reports, one a minute of pump time."""
    serial.protocol_handler_packages.append("mockpump.emulator.transports")
    connection = Connection(Role.INITIATOR)
    with serial.serial_for_url(url, timeout=0.02) as port:
        connection.open(time.time_ns() & 0xFFFF, now())
        while reports:
            port.write(connection.data_to_send(now()))
            connection.receive_data(port.read(max(1, port.in_waiting)), now())
            connection.handle_timer(now())
            while (event := connection.next_event()) is not None:
                if isinstance(event, LinkOpened):
                    connection.send(m.Subscribe(60), now())
                elif isinstance(event, LinkClosed):
                    sys.exit(f"the line is gone: {event.reason.value}")
                elif isinstance(event, MessageReceived) and isinstance(event.message, m.Telemetry):
                    print(event.message)
                    reports -= 1


if __name__ == "__main__":
    watch(sys.argv[1] if len(sys.argv) > 1 else "mockpump://demo?speed=600", 3)
