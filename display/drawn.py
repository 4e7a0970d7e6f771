"""What a notebook shows of a trace: a frame, a ladder, a page."""

import html
from os import PathLike
from pathlib import Path

from mockpump.display.diagram import diagram
from mockpump.display.ladder import Look, ladder
from mockpump.display.page.document import page_of
from mockpump.display.page.model import Model
from mockpump.display.selection import Bound, select
from mockpump.display.spans import plain
from mockpump.display.text import printable
from mockpump.display.words import stamp
from mockpump.emulator.trace.explain import why
from mockpump.emulator.trace.run import Run, Transmission

# How high a page is in a notebook, in pixels.
_PAGE_HEIGHT = 720


class DrawnFrame:
    """One transmission of a run; `name`, `at` (line time in microseconds), `data` and the rest."""

    def __init__(self, run: Run, number: int) -> None:
        self._run, self.number = run, number
        self.sent: Transmission = run.frame(number)
        self.name, self.at, self.data = self.sent.name, self.sent.at, self.sent.data

    def __str__(self) -> str:
        """Why it was sent, a line a reason."""
        return "\n".join(each.text for each in why(self._run, self.number))

    def __repr__(self) -> str:
        return f"<frame {self.number} of {stamp(self.at)} s: {self.name}, {len(self.data)} bytes>"

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(printable(text)) for text in str(self).splitlines())
        reasons = "".join(f"<li>{each}</li>" for each in rest)
        return (
            f"<p><b>{self.number}</b> at {stamp(self.at)} s: {first}</p><ol>{reasons}</ol>"
            f"<pre>{self.data.hex(' ')}</pre>"
        )


class DrawnLadder:
    """Some frames of a run as a ladder: a picture in a notebook, text when printed."""

    def __init__(self, run: Run, frames: range, name: str) -> None:
        self._run, self._frames, self._name = run, frames, name

    def __str__(self) -> str:
        if not self._frames:
            return ""
        ends = Bound(self._frames[0], True), Bound(self._frames[-1], True)
        look = Look(subject=self._name)
        drawn = ladder(self._run, look, select(self._run, *ends))
        return "\n".join(plain(each) for each in drawn)

    def _repr_svg_(self) -> str:
        return diagram(self._run, self._frames, self._run.head.title or self._name)


class Page:
    """A run on one page of HTML that needs nothing else, and loads nothing."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def html(self) -> str:
        """The text of the file."""
        return page_of(self._model)

    def save(self, path: str | PathLike[str]) -> None:
        """Write it into a file.  `OSError` when that fails."""
        Path(path).write_text(self.html, "utf-8", newline="\n")

    def _repr_html_(self) -> str:
        # In a frame of its own: the page's policy, style and script are for a whole document.
        told = f'sandbox="allow-scripts" width="100%" height="{_PAGE_HEIGHT}"'
        return f'<iframe srcdoc="{html.escape(self.html, quote=True)}" {told}></iframe>'
