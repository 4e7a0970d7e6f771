"""Options to record what goes over a live line, and to show its frames as they pass."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from mockpump.cli.files import NamedWriter
from mockpump.cli.render import show
from mockpump.cli.terminal import echo
from mockpump.cli.trace import brief, show_frame_parts
from mockpump.emulator.trace.format import Ends
from mockpump.emulator.transports.errors import PortError, reason_of
from mockpump.protocol.framing import FrameDecoder, RejectedFrame
from mockpump.protocol.link.types import LinkSettings

if TYPE_CHECKING:
    from mockpump.emulator.transports.asyncio_pump import PumpRunner
    from mockpump.emulator.transports.blocking_programmer import Tap
    from mockpump.emulator.transports.recording import TappedRunner

_ARROWS = {True: "programmer -> pump", False: "pump -> programmer"}
_STYLES = {True: "cyan", False: "magenta"}


class Watching(NamedTuple):
    """What is to be kept or shown of a live line."""

    trace: Path | None = None
    shows: bool = False
    in_full: bool = False


def watching_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--trace FILE`, `--show` and `-v`."""
    for option in (
        click.option("-v", "in_full", is_flag=True, help="With --show: the bytes, layer by layer."),
        click.option("--show", "shows", is_flag=True, help="Show each frame as it goes by."),
        click.option(
            "--trace",
            type=click.Path(path_type=Path),
            help="Record the line into this file, for `mockpump show`.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def trace_file(path: Path) -> Iterator[IO[str]]:
    """A new file for a trace; `PortError` in one line when it cannot be written."""
    try:
        raw = io.FileIO(path, "wb")
    except OSError as error:
        raise PortError(f"{path}: {reason_of(error)}") from None
    try:
        with io.TextIOWrapper(NamedWriter(raw, path), encoding="utf-8", newline="\n") as file:
            yield file
    finally:
        # What could not even be begun is not left behind.
        if path.is_file() and path.stat().st_size == 0:
            path.unlink()


def all_of(*taps: "Tap | None") -> "Tap | None":
    """One tap in place of several."""
    some = [each for each in taps if each is not None]
    if not some:
        return None

    def tap(sent: bool, data: bytes) -> None:
        for each in some:
            each(sent, data)

    return tap


class FrameShow:
    """A tap that shows each frame on a line, or in full; on standard error where `err` says so."""

    def __init__(self, in_full: bool, err: bool = False) -> None:
        self._in_full, self._err = in_full, err
        self._decoders: dict[tuple[int, bool], FrameDecoder] = {}

    def __call__(self, by_programmer: bool, data: bytes, line: int = 0) -> None:
        """Take bytes that went by on one of several lines."""
        decoder = self._decoders.setdefault((line, by_programmer), FrameDecoder())
        for found in decoder.receive_data(data):
            where = f" {line}" if line else ""
            lead = f"{_ARROWS[by_programmer]}{where}  "
            if isinstance(found, RejectedFrame):
                self._say((lead, _STYLES[by_programmer]), f"rejected: {found.reason.value}")
                continue
            self._say((lead, _STYLES[by_programmer]), brief(found))
            if self._in_full and not self._err:
                show_frame_parts(found)

    def _say(self, lead: tuple[str, str], text: str) -> None:
        if self._err:
            echo(f"{lead[0]}{text}", err=True)
        else:
            show(lead, text)


@contextmanager
def watched_lines(runner: "PumpRunner", watched: Watching) -> Iterator["PumpRunner | TappedRunner"]:
    """What is behind the lines of a pump: its runner, with what records or shows before it."""
    from mockpump.emulator.transports.recording import LiveTrace, PumpTap, TappedRunner

    with ExitStack() as stack:
        behind: PumpRunner | TappedRunner = runner
        if watched.trace is not None:
            file = stack.enter_context(trace_file(watched.trace))
            title = f'at the pump "{runner.server.pump.identity.name}"'
            live = LiveTrace(file, Ends(pump=LinkSettings()), title)
            behind = TappedRunner(behind, PumpTap(live, runner))
        if watched.shows:
            shown = FrameShow(watched.in_full)
            behind = TappedRunner(behind, lambda line, sent, data: shown(not sent, data, line))
        yield behind
