"""The responder: a toy that answers the arriving dose with an index from 0 to 100.

Fictional through and through: it models nobody and nothing, and no number in it means anything.  It
is there so that a demo can show why an amount is raised gradually and why a change is seen late.

First order: the index goes towards `100 * rate / (rate + half)` and comes half way nearer in every
`half_life` seconds.  Between two changes of the dose rate that has a closed form, so how time is
cut up makes no difference (but for the last bits of a float: the one place without integers).
"""

import msgspec


class Responder(msgspec.Struct):
    """A toy's state.  `half` is the dose rate (du/h) that ends at 50; `half_life` in seconds."""

    half: float = 10.0
    half_life: float = 6 * 3600.0
    index: float = 0.0

    def target(self, rate: float) -> float:
        """Where the index would end at a dose rate in du/h."""
        return 100 * rate / (rate + self.half) if rate > 0 else 0.0

    def live(self, seconds: int, rate: float) -> float:
        """Let time pass at a constant arriving dose rate (du/h); the index then."""
        nearer = 0.5 ** (seconds / self.half_life)
        self.index = self.target(rate) + (self.index - self.target(rate)) * nearer
        return self.index
