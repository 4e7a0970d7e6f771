"""The `mockpump` command, as a program and as `python -m mockpump`."""

import contextlib
import signal
import sys


def main() -> None:
    """Run the command line; whoever interrupts it, whenever, gets no traceback.

    What it does about an interruption itself is in `mockpump.cli.main`; here is what comes while
    that is loading, and what comes again while it is speaking its last words.
    """
    try:
        from mockpump.cli.main import main as run

        run()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            print("interrupted", file=sys.stderr, flush=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
