"""A memory with a switch for each thing that can go wrong with it: for scenarios and tests."""

from mockpump.emulator.memory.interface import (
    Change,
    LogPage,
    Memory,
    MemoryFailed,
    Outcome,
    PowerCut,
)


class FaultyMemory:
    """Another `Memory`, with injected faults.

    `fail_writes`: as long as it is set, `record` raises `MemoryFailed` and keeps nothing.
    `brown_out`: the next `record` raises `PowerCut` before anything is written, once.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.durable = memory.durable
        self.fail_writes = False
        self.brown_out = False

    @property
    def observed(self) -> bool:
        """Whether the next write may be stopped, or the memory itself be looked at."""
        return self.brown_out or self.fail_writes or self.memory.observed

    def state(self) -> bytes | None:
        return self.memory.state()

    def image(self, slot: int) -> bytes:
        return self.memory.image(slot)

    def outcome(self, transaction: int) -> Outcome | None:
        return self.memory.outcome(transaction)

    def outcome_count(self) -> int:
        return self.memory.outcome_count()

    def log(self, first: int, count: int) -> LogPage:
        return self.memory.log(first, count)

    def record(self, change: Change) -> None:
        if self.brown_out:
            self.brown_out = False
            raise PowerCut
        if self.fail_writes:
            raise MemoryFailed("the memory takes no writes: an injected fault")
        self.memory.record(change)

    def close(self) -> None:
        self.memory.close()
