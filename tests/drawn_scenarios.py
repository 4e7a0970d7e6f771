"""Scenarios to draw: random days of a pump on a bad line, which shrink step by step.

What fails is a scenario: its text hangs on the error as a note, to be run as the failure was.
"""

from typing import Any

from hypothesis import strategies as st

from mockpump.cli.examples import example_program
from mockpump.emulator.simulation.campaign import random_facts, run_facts, scenario_text


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """A scenario as TOML has it: that of a seed, with some of its steps and of its faults."""
    facts = random_facts(draw(st.integers(0, 10**6)))
    *steps, last = facts["step"]
    kept = draw(st.lists(st.booleans(), min_size=len(steps), max_size=len(steps)))
    some = [step for step, keep in zip(steps, kept, strict=True) if keep]
    faults = draw(st.sets(st.sampled_from(sorted(facts["channel"]))))
    line = {name: value for name, value in facts["channel"].items() if name in faults}
    return {**facts, "channel": line, "step": [*some, last]}


def assert_holds(facts: dict[str, Any], seed: int = 0) -> None:
    """A scenario breaks no invariant; what fails has the scenario as a note."""
    try:
        wrong, _ = run_facts(facts, seed, example_program)
        assert not wrong, wrong
    except Exception as error:
        error.add_note(f"# fails with --seed {seed}\n{scenario_text(facts)}")
        raise
