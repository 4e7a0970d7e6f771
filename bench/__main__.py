"""`python -m bench`: run the rows, print one table.  A short row is a finding, not a failure."""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator

from bench import (
    bulk_rows,
    codec_rows,
    durable_rows,
    line_rows,
    process_rows,
    pty_rows,
    simulation_rows,
    tcp_rows,
    year_rows,
)
from bench.pairs import QUICK, THOROUGH, Effort
from bench.table import WIDTH, Finding, as_json, render

ROWS: dict[str, Callable[[Effort], list[Finding]]] = {
    "decode": codec_rows.decode_status,
    "encode": codec_rows.encode_status,
    "decode-segments": codec_rows.decode_segments,
    "encode-segments": codec_rows.encode_segments,
    "deframe": line_rows.deframe,
    "request": line_rows.connections,
    "pty": pty_rows.over_pty,
    "tcp": tcp_rows.over_tcp,
    "bulk": bulk_rows.bulk,
    "simulate": simulation_rows.simulate,
    "years": year_rows.years,
    "durable": durable_rows.durable,
    "start-up": process_rows.start_up,
    "memory": process_rows.memory,
}

_LEGEND = """\
Medians over interleaved rounds.  Ratio: under "<=" our time over the peer's,
under ">=" and without a target our speed over the peer's.  *: plus 50 ms."""


def main() -> int:
    """Exit status 0, or 1 when a row crashed."""
    arguments = _parser().parse_args()
    effort = QUICK if arguments.quick else THOROUGH
    found: list[tuple[str, Finding]] = []
    crashed = False
    for name in arguments.row or ROWS:
        _progress(f"measuring {name} ...")
        try:
            found += [(name, finding) for finding in ROWS[name](effort)]
        except Exception as error:
            crashed = True
            found.append((name, Finding(name, note="crashed")))
            print(f"\nrow {name} crashed: {type(error).__name__}: {error}", file=sys.stderr)
    _progress("")
    if arguments.json:
        rows = [{"row": name, **as_json(finding)} for name, finding in found]
        print(json.dumps({"python": platform.python_version(), "rows": rows}, indent=1))
    else:
        print("\n".join(_report([finding for _, finding in found])))
    return int(crashed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="plain data, in base units")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--row", action="append", choices=ROWS, metavar="NAME", help=f"only {', '.join(ROWS)}"
    )
    return parser


def _report(findings: list[Finding]) -> Iterator[str]:
    yield f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield from render(findings)
    yield _LEGEND
    short = sum(finding.met is False for finding in findings)
    met = sum(finding.met is True for finding in findings)
    yield f"{met} targets met, {short} short"


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<{WIDTH - 1}}\r", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
