"""`python fuzz NAME [SECONDS] [OPTION...]`: one target under Atheris, for this many seconds.

NAME is frames, messages or pump; an OPTION is one of libFuzzer's, such as `-seed=1`.  The corpus is
kept in `.fuzz/NAME`, begun with the test vectors; an input that breaks a promise is written to
`.fuzz/` and printed.  What it finds belongs into `tests/vectors/` or a test.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# With the longest input of each: two frames and a half, or some hundred steps of a script.
TARGETS = {"frames": 2_560, "messages": 2_560, "pump": 1_024}
_SECONDS = "60"
_ATHERIS_MISSING = (
    "fuzz: Atheris is not there for this Python (make fuzz installs it where it can be had); "
    "the same checks run without it: pytest tests/test_fuzz.py"
)


def main() -> None:
    """Fuzz one target; ends the process."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python fuzz {'|'.join(TARGETS)} [SECONDS] [LIBFUZZER OPTION...]")
    try:
        import atheris
    except ImportError:
        sys.exit(_ATHERIS_MISSING)
    name, *options = sys.argv[1:]
    seconds = options.pop(0) if options and options[0].isdecimal() else _SECONDS
    sys.path.append(str(ROOT / "tests"))
    with atheris.instrument_imports(include=["mockpump.protocol", "mockpump.emulator"]):
        check = _target(name)
    arguments = [f"-max_total_time={seconds}", f"-max_len={TARGETS[name]}", *options]
    arguments += [f"-artifact_prefix={ROOT / '.fuzz'}/{name}-", str(_corpus(name))]
    atheris.Setup([sys.argv[0], *arguments], check)
    atheris.Fuzz()


def _target(name: str) -> Callable[[bytes], None]:
    check: Callable[[bytes], None] = getattr(__import__(f"fuzz_{name}"), "check")  # noqa: B009
    return check


def _corpus(name: str) -> Path:
    folder = ROOT / ".fuzz" / name
    folder.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate(_seeds()):
        # An even first byte: to be taken as it is.
        (folder / f"vector-{place}").write_bytes(b"\0" + seed)
    return folder


def _seeds() -> Iterator[bytes]:
    """What the test vectors hold: frames, streams, payloads, images."""
    keys = ("line", "stream", "payload", "image")
    for file in sorted((ROOT / "tests" / "vectors").glob("*.json")):
        for vectors in json.loads(file.read_text()).values():
            for each in vectors:
                if isinstance(each, dict):
                    yield from (bytes.fromhex(each[key]) for key in keys if key in each)


if __name__ == "__main__":
    main()
