"""The line in memory: bytes arrive in order, in a later turn of the loop, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable

from mockpump.emulator.transports.memory_line import MemoryEnd, memory_pair


def with_pair(test: Callable[[MemoryEnd, MemoryEnd], Awaitable[None]]) -> None:
    async def run() -> None:
        await test(*memory_pair())

    asyncio.run(run())


def test_bytes_arrive_in_order_both_ways_and_never_at_once() -> None:
    async def test(one: MemoryEnd, two: MemoryEnd) -> None:
        at_one, at_two = bytearray(), bytearray()
        one.on_data, two.on_data = at_one.extend, at_two.extend
        one.write(b"ab")
        one.write(b"c")
        two.write(b"x")
        assert (at_one, at_two) == (b"", b"")
        await asyncio.sleep(0)
        assert (at_one, at_two) == (b"x", b"abc")

    with_pair(test)


def test_what_nobody_listens_to_is_lost() -> None:
    async def test(one: MemoryEnd, two: MemoryEnd) -> None:
        heard = bytearray()
        one.write(b"early")
        await asyncio.sleep(0)
        two.on_data = heard.extend
        one.write(b"heard")
        await asyncio.sleep(0)
        one.write(b"late")
        two.close()
        await asyncio.sleep(0)
        assert heard == b"heard"

    with_pair(test)


def test_an_end_without_another_loses_everything() -> None:
    async def run() -> None:
        end, received = MemoryEnd(), list[bytes]()
        end.on_data = received.append
        end.write(b"x")
        await asyncio.sleep(0)
        assert received == []

    asyncio.run(run())
