"""The catheter: what the motor pushes in at one end comes out at the other, later, in order.

Plug flow: the catheter always holds the last `dead` nL that were pumped, so what has arrived is
what was pumped less that, and a fluid arrives when everything before it has.  The one idea: it is
enough to know at which sum each fluid began to go in; nothing needs to be moved along.

Sums and volumes inside are in units of 1/3600 nL, and so exact.  Concentrations are in fictional
dose units per millilitre (du/mL); doses in units of 1/3600 nL times du/mL.
"""

import msgspec

from mockpump.protocol.program import UNITS_PER_NL

# How many fluids may be on their way through at a time; one more is refused.
MOST_FLUIDS = 64
# 1/3600 nL times du/mL in one dose unit.
DOSE_PER_DU = UNITS_PER_NL * 1_000_000


class Fluid(msgspec.Struct, frozen=True):
    """A fluid that began to be pumped when `since` (1/3600 nL) had been pumped in all."""

    since: int
    concentration: int


class Catheter(msgspec.Struct, frozen=True):
    """A catheter that holds `dead` nL, and the fluids that are in it or behind it, oldest first.

    `past` is the dose of the fluids that have come out wholly, up to where the oldest one begins.
    """

    dead: int
    fluids: tuple[Fluid, ...]
    past: int = 0

    @property
    def concentration(self) -> int:
        """Of the fluid that goes in now."""
        return self.fluids[-1].concentration

    def arrived(self, due: int) -> int:
        """What has come out when `due` has been pumped in all."""
        return max(due - self.dead * UNITS_PER_NL, 0)

    def arriving(self, due: int) -> int:
        """The concentration of what comes out then; 0 while nothing does."""
        out = due - self.dead * UNITS_PER_NL
        if out < 0:
            return 0
        return next(each.concentration for each in reversed(self.fluids) if each.since <= out)

    def dose(self, due: int) -> int:
        """The dose that has come out by then."""
        out = self.arrived(due)
        ends = [*(each.since for each in self.fluids[1:]), out]
        return self.past + sum(
            max(min(end, out) - each.since, 0) * each.concentration
            for each, end in zip(self.fluids, ends, strict=True)
        )

    def refilled(self, due: int, concentration: int) -> "Catheter":
        """The catheter of a pump into which, from this sum on, another fluid goes."""
        fluids = [each for each in self.fluids if each.since < due]
        if not fluids or fluids[-1].concentration != concentration:
            fluids.append(Fluid(due, concentration))
        past, out = self.past, self.arrived(due)
        while len(fluids) > 1 and fluids[1].since <= out:
            gone = fluids.pop(0)
            past += (fluids[0].since - gone.since) * gone.concentration
        return Catheter(self.dead, tuple(fluids), past)

    def ahead(self, due: int) -> int:
        """What must still be pumped until the fluid that goes in now comes out, in nL, rounded up.

        0 when it comes out already.  Two fluids that follow each other are never the same one, so
        it is the newest alone that is waited for, however many are before it.
        """
        out = due - self.dead * UNITS_PER_NL
        return -(-max(self.fluids[-1].since - out, 0) // UNITS_PER_NL)


def filled_with(concentration: int, dead: int) -> Catheter:
    """A new, empty catheter at a pump that holds a fluid."""
    return Catheter(dead, (Fluid(0, concentration),))
