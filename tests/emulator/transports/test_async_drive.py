"""A machine driven by the loop's callbacks: the rule of a turn, cut in two where that waits."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from mockpump.emulator.transports.async_drive import AsyncDrive
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.loop_timer import LoopTimer


def in_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 10))


class Machine:
    """Each piece is an event; one deadline, long past, until that is handled."""

    def __init__(self, done: list[str]) -> None:
        self.done = done
        self.deadline: int | None = None
        self.events: list[str] = []

    def receive_data(self, data: bytes, now: int) -> None:
        self.events += data.decode()

    def data_to_send(self, now: int) -> bytes:
        return b"out" if self.done else b""

    def next_deadline(self) -> int | None:
        return self.deadline

    def handle_timer(self, now: int) -> None:
        self.deadline = None
        self.events.append("time")

    def next_event(self) -> str | None:
        return self.events.pop(0) if self.events else None


def driven() -> tuple[AsyncDrive[str], Machine, list[str]]:
    done: list[str] = []
    machine = Machine(done)
    return (
        AsyncDrive[str](machine, lambda data: done.append(data.decode()), done.append),
        machine,
        done,
    )


def test_events_are_handed_on_before_anything_is_sent() -> None:
    async def test() -> None:
        drive, _, done = driven()
        drive.work()
        assert done == []  # Nothing to send, nothing sent.
        drive.data_received(b"ab")
        assert done == ["a", "b", "out"]

    in_loop(test)


def test_a_deadline_that_has_come_is_handled_once_and_not_when_closed() -> None:
    async def test() -> None:
        drive, machine, done = driven()
        machine.deadline = line_now() - 1
        drive.work()
        while not done:
            await asyncio.sleep(0)
        assert done == ["time", "out"]
        machine.deadline = line_now() - 1
        drive.work()
        drive.close()
        await settled()
        assert done == ["time", "out", "out"]

    in_loop(test)


async def settled() -> None:
    """What was due before this has been called back."""
    came = asyncio.Event()
    asyncio.get_running_loop().call_later(0, came.set)
    await came.wait()


def test_a_timer_that_is_set_again_forgets_what_it_was_set_to() -> None:
    async def test() -> None:
        fired: list[int] = []
        timer, now = LoopTimer(lambda: fired.append(1)), line_now()
        for _ in range(3):
            timer.set(now - 5, now)
        await settled()
        assert fired == [1]
        timer.set(now, now)
        timer.set(None, now)
        await settled()
        assert fired == [1]

    in_loop(test)
