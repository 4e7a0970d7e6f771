"""`python -m mockpump`: the same as the `mockpump` command."""

from mockpump.cli.main import main

if __name__ == "__main__":
    main()
