"""A pymodbus RTU server at the master end of a pty.  The pty row's other peer.

pymodbus opens its port by name, but a pty's master has none: the server opens the slave as usual,
and then finds the master under the same descriptor.
"""

import asyncio
import os
from typing import Any

import serial
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from bench.children import announce, raw_pty

BAUDRATE = 115_200
REGISTERS = 20


async def main() -> None:
    """Serve until the parent has gone."""
    master, path = raw_pty()
    os.set_blocking(master, False)

    class Master(serial.Serial):
        def open(self) -> None:
            super().open()
            os.dup2(master, self.fd)

    def at_master(url: str, **options: Any) -> serial.Serial:
        # A lock on one pty's master would be a lock on every pty's: they are the same file.
        return Master(url, **{**options, "exclusive": None})

    serial.serial_for_url = at_master
    registers = SimData(0, values=list(range(REGISTERS)), datatype=DataType.REGISTERS)
    server = ModbusSerialServer(SimDevice(1, [registers]), port=path, baudrate=BAUDRATE)
    await server.serve_forever(background=True)
    announce(path)
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
