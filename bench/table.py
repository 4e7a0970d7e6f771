"""The table: what a row found, whether that meets its target, and how it is printed.

Two kinds of ratio, each in the direction in which its target is worded: under `<=` it is our time
(or memory) over the peer's, under `>=` our speed over the peer's.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from bench.pairs import Race

Unit = Literal["s", "/s", "B/s", "B", ""]

WIDTH = 80
_COLUMNS = (
    ("row", 20, "<"),
    ("ours", 9, ">"),
    ("peer", 9, ">"),
    ("", 18, "<"),
    ("ratio", 5, ">"),
    ("target", 8, ">"),
    ("", 5, "<"),
)
# How much a note may say from the peer's column on, and from ours on.
_NARROW, _WIDE = 38, 59
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"))


class Finding(NamedTuple):
    """One line: ours against one peer, or against a fixed figure when `peer` is None.

    `ours` and `peer` are in `unit`.  `met` is None where there is no target; `note` stands for the
    figures when there are none (not installed, crashed).
    """

    case: str
    peer_name: str = ""
    unit: Unit = ""
    ours: float | None = None
    peer: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""


class Contest(NamedTuple):
    """A finished race seen from our side: `case` is how the line is called, `us` who we were.

    `weight` is how much of `unit` one operation carries; with "s" it is not used.
    """

    race: Race
    case: str
    us: str
    unit: Unit = "s"
    weight: float = 1.0

    def _figure(self, name: str) -> float:
        seconds = self.race.seconds(name)
        return seconds if self.unit == "s" else self.weight / seconds

    def _against(self, peer: str, ratio: float, target: str, met: bool | None) -> Finding:
        ours, theirs = self._figure(self.us), self._figure(peer)
        return Finding(self.case, peer, self.unit, ours, theirs, ratio, target, met)

    def at_most(self, peer: str, limit: float) -> Finding:
        """Our time may be at most `limit` times the peer's."""
        ratio = self.race.times(self.us, peer)
        return self._against(peer, ratio, f"<={limit:g}", ratio <= limit)

    def at_least(self, peer: str, limit: float) -> Finding:
        """Our speed must be at least `limit` times the peer's."""
        ratio = self.race.times(peer, self.us)
        return self._against(peer, ratio, f">={limit:g}", ratio >= limit)

    def beside(self, peer: str) -> Finding:
        """For orientation: our speed over the peer's, and no target."""
        return self._against(peer, self.race.times(peer, self.us), "", None)

    def floor(self, least: float) -> Finding:
        """Our rate must be at least this much, whoever else does what."""
        ours = self._figure(self.us)
        scale, prefix = _prefix(least)
        target = f">={least / scale:g} {prefix}"
        return Finding(self.case, "", self.unit, ours, target=target, met=ours >= least)

    def ceiling(self, most: float) -> Finding:
        """Our time may be at most this much, whoever else does what; in seconds."""
        ours = self._figure(self.us)
        target = f"<={_quantity(most, 's').replace('.0', '')}"
        return Finding(self.case, "", self.unit, ours, target=target, met=ours <= most)


def absent(case: str, peer: str, why: str = "not installed") -> Finding:
    """The line of a peer that takes no part, and why not."""
    return Finding(case, peer, note=why)


def render(findings: Iterable[Finding]) -> Iterator[str]:
    """The table, line by line, none longer than `WIDTH`."""
    yield _line(title for title, _, _ in _COLUMNS)
    yield "-" * (sum(width for _, width, _ in _COLUMNS) + len(_COLUMNS) - 1)
    before = ""
    for finding in findings:
        case = finding.case if finding.case != before else ""
        before = finding.case
        yield _line(_cells(finding, case))


def as_json(finding: Finding) -> dict[str, Any]:
    """A line as plain data, in base units; without what it does not have."""
    return {key: value for key, value in finding._asdict().items() if value not in (None, "")}


def _cells(finding: Finding, case: str) -> tuple[str, ...]:
    if finding.note:
        # It may run on over the columns beside it, but not over the edge.
        said = f"{finding.peer_name} {finding.note}".strip()
        if len(said) <= _NARROW:
            return case, "", "", said, "", "", ""
        return case, said[:_WIDE], "", "", "", "", ""
    verdict = {True: "met", False: "short", None: ""}[finding.met]
    ratio = "" if finding.ratio is None else _three(finding.ratio)
    figures = (_quantity(each, finding.unit) for each in (finding.ours, finding.peer))
    return case, *figures, finding.peer_name, ratio, finding.target, verdict


def _line(cells: Iterable[str]) -> str:
    pieces = zip(cells, _COLUMNS, strict=True)
    return " ".join(f"{cell:{side}{width}}" for cell, (_, width, side) in pieces).rstrip()


def _quantity(value: float | None, unit: Unit) -> str:
    if value is None:
        return ""
    if unit == "B":
        return f"{_three(value / 1024)} KiB" if value < 2**20 else f"{_three(value / 2**20)} MiB"
    scale, prefix = _prefix(value)
    return f"{_three(value / scale)} {prefix}{unit}".rstrip()


def _prefix(value: float) -> tuple[float, str]:
    return next((p for p in _PREFIXES if value >= p[0]), _PREFIXES[-1])


def _three(value: float) -> str:
    """Three significant digits, without an exponent; never more than three decimals."""
    if value < 1:
        return f"{value:.3f}"
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"
