"""The `mockpump` command, as a program and as `python -m mockpump`."""

import sys


def main() -> None:
    """Run the command line; whoever interrupts it while it is still loading gets no traceback."""
    try:
        from mockpump.cli.main import main as run
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
