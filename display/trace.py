"""A recorded run, to be looked at from Python: in a notebook, a script, a test that failed."""

from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Protocol

import msgspec

from mockpump.display.drawn import DrawnFrame, DrawnLadder, Page
from mockpump.display.page.telling import model_of
from mockpump.emulator.trace.explain import why
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import BadTrace, Undecoded
from mockpump.emulator.trace.run import Run
from mockpump.emulator.transports.recordings import read_recording
from mockpump.protocol.program import Program, digest, image

# A notebook shows this many frames of a trace that is not cut.
_SHOWN = 40


class Recorder(Protocol):
    """What has recorded what it did: a traced `World`, a traced `LinkPair`."""

    def recording(self, title: str = "") -> Undecoded:
        """What has happened so far."""


class Trace:
    """The trace of a run.  Frames are numbered from 1, both directions; times are microseconds.

    >>> from mockpump import Trace, World
    >>> world = World(traced=True)
    >>> with world.connect() as programmer:
    ...     mode = programmer.status().mode
    >>> trace = Trace.of(world, "one status")
    >>> trace.frame(3).name, trace.frame(3).at
    ('GetStatus 0', 2000)
    >>> print(trace.why(3)[0])
    programmer -> pump GetStatus 0: delivered
    """

    def __init__(
        self, recorded: Undecoded, name: str, programs: dict[str, Program] | None = None
    ) -> None:
        self.recorded, self.name = recorded, name
        self._programs = programs or {}

    @classmethod
    def of(cls, recorder: Recorder, name: str = "a run") -> "Trace":
        """What a traced `World` or `LinkPair` has done so far."""
        return cls(recorder.recording(name), name)

    @classmethod
    def read(cls, path: str | PathLike[str]) -> "Trace":
        """The trace in a file or a bundle; `BadTrace`, a `MockpumpError`, when it is neither."""
        found = read_recording(Path(path))
        if found.defect:
            told = f"{path}: it was recorded with the defect {found.defect}"
            raise BadTrace(f"{told}: look at it with `mockpump view`, which plants it")
        return cls(found.trace, found.subject or Path(path).stem, found.programs)

    def save(self, path: str | PathLike[str]) -> None:
        """Write it into a file, for `mockpump show` and `view`.  `OSError` when that fails."""
        head = msgspec.json.encode(self.recorded.head).decode()
        text = "".join(f"{line}\n" for line in (head, *self.recorded.texts))
        Path(path).write_text(text, "utf-8", newline="\n")

    @cached_property
    def run(self) -> Run:
        """All that follows from it: frames, windows, timers, verdicts, causes."""
        return read_run(self.recorded.recording)

    @property
    def frames(self) -> list[DrawnFrame]:
        """Every transmission, in order."""
        return [DrawnFrame(self.run, each.number) for each in self.run.frames]

    def frame(self, number: int) -> DrawnFrame:
        """The transmission of that number; `KeyError` when there is none."""
        return DrawnFrame(self.run, self.run.frame(number).number)

    def why(self, number: int) -> list[str]:
        """What happened to a frame, then why it was sent, back to a command or a fault."""
        return [reason.text for reason in why(self.run, number)]

    def ladder(self, first: int = 1, last: int | None = None) -> DrawnLadder:
        """The frames from one number to another, both included; else to the last."""
        end = self.run.last if last is None else min(last, self.run.last)
        return DrawnLadder(self.run, range(first, end + 1), self.name)

    def page(self) -> Page:
        """The whole run on one page: an HTML file that needs nothing else."""
        names = {digest(image(each)).hex(): name for name, each in self._programs.items()}
        return Page(model_of(self.run, self.name, names))

    def _repr_svg_(self) -> str:
        return self.ladder(1, _SHOWN)._repr_svg_()


def view(run: "Trace | Recorder | str | PathLike[str]", name: str = "a run") -> Page:
    """A run on one page: of a traced `World` or `LinkPair`, a `Trace`, or a file with either.

    A notebook shows the page; `view(world).save("run.html")` writes it, for any browser.
    `LocalProtocolError` when nothing was recorded, `BadTrace` for a file that is not a trace.
    """
    if isinstance(run, Trace):
        return run.page()
    if isinstance(run, str | PathLike):
        return Trace.read(run).page()
    return Trace.of(run, name).page()
