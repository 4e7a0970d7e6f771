"""The pump's journal: what is written into its memory, and when.

It knows no pump and no mode.  It is given whole states to write, and the delivery by which it tells
how far a record stands.
"""

from mockpump.emulator.memory.interface import SLOTS, Change, Memory, MemoryFailed, Outcome
from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.state import PumpState
from mockpump.emulator.pump.strangers import NOBODY, Strangers, is_strangers
from mockpump.protocol.log import LogEntry

# The rule: whatever changes the pump is done to the pump, then recorded as one change together with
# the pump's whole state; if it cannot be recorded, it is undone.  So what was acknowledged is in
# the memory, and what is in the memory is whole.
#
# How far a record stands.  After one at second r the next is made by `_due_by` or before.
# So what the power can take is what comes of itself from r to there, and not one unit more:
# nothing that is done to the pump is among it, since that is recorded at once.
#
# By itself a pump records at the next breakpoint, or a checkpoint's interval after r, whichever
# comes first.  Up to there the rate is constant: what may have been moved is rate times
# seconds.  Where pump time goes by so fast that these would be hundreds of records a second,
# whoever runs it sets `covers`, and a record says, before any of it has happened, that it
# stands for this many seconds whatever breakpoints are in them.  Whoever wakes up with it lets a
# second motor, which moves nothing, live those seconds.  Delivery is a function of its state,
# so that is what was moved at their end, and at any of them it was no more.
#
# The next record is due in the middle of what one covers, at `Journal.next_record`, and may be late
# by the other half: whoever is later still goes on from `_due_by` to `_due_by`.  So in any stretch
# of time there are no more of them than halves of what one covers.
#
# Of a memory into which nobody can look, and whose writes nobody can stop, only the last record
# before somebody looks is worth making: `record_before`.


class Journal:
    """Records, checkpoints and log entries of one pump.

    `checkpoint_every` is how many seconds of pump time there are between two checkpoints at the
    most; `covers` how many a record is to stand for at least.  `images` are the programs by slot,
    `entries` those of the log that the next record takes along, `strangers` what people without a
    key have done since the last entry of what was done, and `error` why a record could not be
    written, the last time that one could not.
    """

    __slots__ = (
        "_breakpoints_passed",
        "_recorded_at",
        "_stands_until",
        "checkpoint_every",
        "covers",
        "entries",
        "error",
        "images",
        "memory",
        "strangers",
    )

    def __init__(self, memory: Memory, checkpoint_every: int) -> None:
        self.memory = memory
        self.checkpoint_every = checkpoint_every
        self.covers = 0
        self.error = ""
        self.images = [memory.image(slot) for slot in range(SLOTS)]
        self.strangers: Strangers = NOBODY
        self.entries: tuple[LogEntry, ...] = ()
        self._recorded_at = self._stands_until = self._breakpoints_passed = 0

    # -- the log -----------------------------------------------------------------------------------

    def write(self, entry: LogEntry) -> None:
        """Put down what has happened; what strangers have caused may only be counted."""
        if not is_strangers(entry.kind, entry.first):
            if self.strangers is not NOBODY:
                self.entries += self.strangers.joined(entry.elapsed, entry.clock)
                self.strangers = NOBODY
        elif self.strangers.is_first(entry.kind):
            self.strangers = self.strangers.written(entry.kind)
        else:
            self.strangers = self.strangers.counted(entry)
            return
        self.entries = (*self.entries, entry)

    def take_back(self, entries: tuple[LogEntry, ...], strangers: Strangers) -> None:
        """Have nothing more to write than these: what came after them was undone."""
        self.entries, self.strangers = entries, strangers

    # -- records -----------------------------------------------------------------------------------

    def record(
        self,
        state: PumpState,
        delivery: Delivery,
        outcome: Outcome | None = None,
        images: dict[int, bytes] | None = None,
    ) -> bool:
        """Write a state, and everything that has happened since the last, as one change.

        False, with the reason in `error`, when the memory cannot; it is tried again as soon as
        there is anything to write, or an interval later.
        """
        # Whether and when a state is made into bytes is the memory's affair.
        change = Change(state, outcome, images or {}, self.entries)
        try:
            self.memory.record(change)
        except MemoryFailed as error:
            self.error = str(error)
            self.stand(delivery)
            return False
        self.entries = ()
        for slot, image in change.images.items():
            self.images[slot] = image
        self._breakpoints_passed = delivery.breakpoints_passed
        self.stand(delivery)
        return True

    def stand(self, delivery: Delivery) -> None:
        """A record was made now, or could not be: find how far it stands alone."""
        self._recorded_at = delivery.elapsed
        self._stands_until = steady_until(delivery, self.checkpoint_every)

    def restart(self, delivery: Delivery) -> None:
        """The state was set from outside; what it says of breakpoints is no news."""
        self._breakpoints_passed = delivery.breakpoints_passed

    @property
    def next_record(self) -> int:
        """The second at which the next record is due."""
        return max(self._stands_until, self._recorded_at + self.covers // 2)

    @property
    def _due_by(self) -> int:
        return max(self._stands_until, self._recorded_at + self.covers)

    @property
    def next_checkpoint(self) -> int:
        """The second at which the state is to be recorded though nothing has happened."""
        return self._recorded_at + self.checkpoint_every

    def is_due(self, delivery: Delivery) -> bool:
        """Whether there is anything to record."""
        if self.entries or not self.memory.durable:
            return bool(self.entries)
        turned = delivery.breakpoints_passed != self._breakpoints_passed
        return turned or delivery.elapsed >= self.next_checkpoint

    def record_before(self, now: int, later: int, every_record_counts: bool) -> int:
        """The second at which to record on the way to a later one; that one itself for none."""
        if not self.memory.durable:
            return later
        if every_record_counts:
            due = self._due_by
        else:
            every = self.checkpoint_every
            due = self._recorded_at + (later - self._recorded_at) // every * every
        return due if now < due < later else later


def steady_until(delivery: Delivery, interval: int) -> int:
    """The second until which the rate is constant, an interval from now at the most."""
    last, edge = delivery.elapsed + interval, delivery.next_edge()
    return last if edge is None or last < edge else edge
