"""`mockpump show`: a recorded run as a ladder, on one screen, frame by frame, or as JSON."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click
from click.core import ParameterSource

from mockpump.cli.files import write_file
from mockpump.cli.frame import show_frame, show_why
from mockpump.cli.main import EXIT_USAGE, fail
from mockpump.cli.pager import show_lines
from mockpump.cli.recordings import read_with_its_defect
from mockpump.cli.render import as_json
from mockpump.cli.terminal import echo
from mockpump.cli.walk import look_at
from mockpump.display.diagram import diagram
from mockpump.display.ladder import NARROWEST, ladder
from mockpump.display.records import frame_record, records
from mockpump.display.selection import Bound, Only, Selection, select
from mockpump.display.summary import summary
from mockpump.display.words import stamp
from mockpump.emulator.trace.explain import why
from mockpump.emulator.trace.join import join
from mockpump.emulator.trace.model import read_part, read_run
from mockpump.emulator.trace.reading import MOST_LINES, BadTrace, Undecoded
from mockpump.emulator.trace.run import Run, Transmission
from mockpump.emulator.transports.recordings import Recorded
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.units import BadQuantity, read_line_time

_WIDEST = 400
_FRAME = re.compile(r"\d{1,9}", re.ASCII)


class _Bound(click.ParamType[Bound]):
    """A moment of line time such as `1.5s`, or the number of a frame."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Bound:
        """The moment in microseconds, or the number."""
        text = str(value)
        if _FRAME.fullmatch(text):
            return Bound(int(text), is_frame=True)
        try:
            return Bound(read_line_time(text), is_frame=False)
        except BadQuantity:
            self.fail(f"invalid time {text!r}: use 1.5s or 300ms, or a frame's number", param, ctx)


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("other", type=click.Path(path_type=Path), required=False)
@click.option("--from", "first", type=_Bound(), help="Begin at this line time, or frame.")
@click.option("--to", "last", type=_Bound(), help="End at this line time, or frame.")
@click.option(
    "--only",
    type=click.Choice(get_args(Only)),
    help="Frames that met trouble, those that begin and end sessions, or requests for changes.",
)
@click.option("--frame", type=int, metavar="N", help="Take frame N apart, byte by byte.")
@click.option("--why", "why_", type=int, metavar="N", help="Tell why frame N was sent.")
@click.option("--short", is_flag=True, help="With --why: only the answer, without the chain.")
@click.option("--summary", "summary_", is_flag=True, help="Show the whole run on one screen.")
@click.option("--windows", is_flag=True, help="Show beside each line what is in flight.")
@click.option("--svg", type=click.Path(path_type=Path), help="Draw a picture into this file.")
@click.option("--json", "json_", is_flag=True, help="Print JSON, one object a line.")
@click.option(
    "--width", type=click.IntRange(NARROWEST, _WIDEST), help="Columns.  [default: the terminal's]"
)
@click.option("--ascii", "ascii_", is_flag=True, help="Draw with ASCII only.")
@click.option(
    "--pager/--no-pager", default=True, help="Go through $PAGER on a terminal, or do not."
)
def show_run(
    file: Path,
    other: Path | None,
    first: Bound | None,
    last: Bound | None,
    only: Only | None,
    frame: int | None,
    why_: int | None,
    short: bool,
    summary_: bool,
    windows: bool,
    svg: Path | None,
    json_: bool,
    width: int | None,
    ascii_: bool,
    pager: bool,
) -> None:
    """Draw a recorded run as a ladder: a line a frame, time downwards.

    FILE is a bundle or a trace, or - for standard input.  The traces of both ends
    of a live line are joined, in any order.

    \b
    mockpump run bad-link --seed 7 --record run.bundle
    mockpump show run.bundle --from 1.5s --to 20

    What to look at is numbered and told before its first frame.
    """
    _expect_options_that_fit()
    recorded = _recorded(file, summary_ and bool(first or last))
    one = frame if frame is not None else why_
    run = _named_run(file, recorded.trace, other, first, last, one)
    if one is not None:
        _one(run, _numbered(run, one), why_ is not None, json_, short)
    elif json_:
        _print_records(run, _selected(run, first, last, only))
    else:
        part = _selected(run, first, last, only)
        look = look_at(width, ascii_, _subject(recorded, run), windows)
        if svg is not None:
            write_file(svg, diagram(run, sorted(part.frames)).encode())
        elif summary_:
            show_lines(summary(run, look), use_pager=False)
        else:
            show_lines(ladder(run, look, part), use_pager=pager)


def _print_records(run: Run, part: Selection) -> None:
    for record in records(run, part):
        echo(as_json(record))


def _subject(recorded: Recorded, run: Run) -> str:
    """Which run it is, beside its title."""
    return recorded.subject or ("recorded live" if run.head.time == "real" else "")


def _recorded(file: Path, is_part_summed: bool) -> Recorded:
    """What is in the file; a usage error where only a long run is summed up in part."""
    recorded = read_with_its_defect(file)
    if is_part_summed and len(recorded.trace.texts) <= MOST_LINES:
        raise click.UsageError("--summary is of the whole run: use it without --from and --to")
    return recorded


def _named_run(
    file: Path,
    trace: Undecoded,
    other: Path | None,
    first: Bound | None,
    last: Bound | None,
    one: int | None,
) -> Run:
    """The run, or of a long one the part around one frame or between two bounds."""
    around = None if one is None else Bound(one, is_frame=True)
    with _naming(file):
        return _run(trace, other, around or first, around or last)


def _run(trace: Undecoded, other: Path | None, first: Bound | None, last: Bound | None) -> Run:
    """The run in a trace, or in two of them; of a long one the part between two bounds."""
    if other is not None:
        return read_run(join(trace.recording, read_with_its_defect(other).trace.recording))
    if len(trace.texts) <= MOST_LINES:
        return read_run(trace.recording)
    if first is None and last is None:
        told = f"it has {len(trace.texts):,} lines, more than {MOST_LINES:,}"
        raise BadTrace(f"{told}: look at a part of it with --from and --to")
    return read_part(trace, _reached(first, 0, True), _reached(last, 1, False))


def _reached(bound: Bound | None, beyond: int, otherwise: bool) -> Callable[[int, int], bool]:
    """Whether a moment, or a frame's number, is at a bound, or so far beyond it."""
    if bound is None:
        return lambda *_: otherwise
    value = bound.value + beyond
    return lambda now, number: (number if bound.is_frame else now) >= value


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """`BadTrace` with the name of the file, for whatever makes no sense in it."""
    try:
        yield
    except MockpumpError as error:
        raise BadTrace(f"{file}: {error}") from None
    except (ArithmeticError, LookupError, ValueError) as error:
        told = f"{type(error).__name__}: {error}"
        raise BadTrace(f"{file}: its lines do not fit together ({told})") from None


# Ways to show a run, instead of the whole ladder: one at a time.
_WAYS = ("--frame", "--why", "--summary", "--svg")
# What an option means nothing beside.
_POINTLESS_WITH = {
    "--from": ("--frame", "--why"),
    "--to": ("--frame", "--why"),
    "--only": ("--frame", "--why", "--summary"),
    "--windows": (*_WAYS, "--json"),
    "--width": ("--frame", "--why", "--svg", "--json"),
    "--ascii": ("--frame", "--why", "--svg", "--json"),
    "--json": ("--summary", "--svg"),
    "--short": ("--json",),
}


def _expect_options_that_fit() -> None:
    given = _given_options()
    if "--short" in given and "--why" not in given:
        raise click.UsageError("--short goes with --why N")
    ways = [way for way in _WAYS if way in given]
    if len(ways) > 1:
        raise click.UsageError(f"{' and '.join(ways)} cannot be shown at once: use one of them")
    for option, others in _POINTLESS_WITH.items():
        for other in others:
            if option in given and other in given:
                raise click.UsageError(
                    f"{option} means nothing with {other}: use it without {other}"
                )


def _given_options() -> set[str]:
    """The options that stand on the command line, by their long names."""
    context = click.get_current_context()
    return {
        each.opts[0]
        for each in context.command.params
        if each.name and context.get_parameter_source(each.name) is ParameterSource.COMMANDLINE
    }


def _numbered(run: Run, number: int) -> Transmission:
    try:
        return run.frame(number)
    except KeyError:
        fail(f"no frame {number}: {_range(run)}", EXIT_USAGE)


def _range(run: Run) -> str:
    if not run.frames:
        return "there are none in this run"
    begins = stamp(run.frames[0].at if run.before else 0)
    what = "this part" if run.before else "this run"
    return f"{what} has frames {run.before + 1} to {run.last}, from {begins} to {stamp(run.ends)} s"


def _selected(run: Run, first: Bound | None, last: Bound | None, only: Only | None) -> Selection:
    for bound in (first, last):
        if bound is not None and bound.is_frame:
            _numbered(run, bound.value)
    selection = select(run, first, last, only)
    if selection.first > selection.last:
        fail(f"nothing is between these two: {_range(run)}", EXIT_USAGE)
    return selection


def _one(run: Run, frame: Transmission, is_why: bool, json_: bool, is_short: bool) -> None:
    if is_why:
        _why(run, frame, json_, is_short)
    else:
        _frame(frame, json_)


def _frame(frame: Transmission, json_: bool) -> None:
    if json_:
        echo(as_json(frame_record(frame)))
    else:
        show_frame(frame)


def _why(run: Run, frame: Transmission, json_: bool, is_short: bool) -> None:
    if not json_:
        show_why(run, frame.number, is_short)
        return
    for reason in why(run, frame.number):
        echo(as_json(reason._asdict()))
