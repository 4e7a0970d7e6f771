"""Hypothesis profiles, chosen with the environment variable HYPOTHESIS_PROFILE.

`dev` (the default) looks somewhere new on each run and remembers what failed; `ci` is the same
run every time and keeps nothing; `deep` is for the night before a release.

Every setting is spelled out: with a `CI` variable set, Hypothesis starts from a profile of its own,
and whatever is left out here would be taken from that one.
"""

import os
from pathlib import Path

from hypothesis import Phase, Verbosity, settings
from hypothesis.database import DirectoryBasedExampleDatabase

# By its full path: some tests run in a folder of their own.
EXAMPLES = DirectoryBasedExampleDatabase(
    Path(__file__).resolve().parents[1] / ".hypothesis" / "examples"
)


def register(name: str, *, max_examples: int, steps: int, repeatable: bool) -> None:
    settings.register_profile(
        name,
        max_examples=max_examples,
        stateful_step_count=steps,
        derandomize=repeatable,
        database=None if repeatable else EXAMPLES,
        deadline=None,  # a busy machine is not a bug
        print_blob=True,
        report_multiple_bugs=True,
        suppress_health_check=(),
        phases=tuple(Phase),
        verbosity=Verbosity.normal,
    )


register("dev", max_examples=40, steps=50, repeatable=False)
register("ci", max_examples=60, steps=50, repeatable=True)
register("deep", max_examples=2_000, steps=200, repeatable=False)

# Most tests are about other layers than the session; those that are about it take this away again.
os.environ["MOCKPUMP_OPEN"] = "1"

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "dev")
