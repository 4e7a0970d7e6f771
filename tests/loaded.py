"""What a process has loaded once it has imported something."""

import subprocess
import sys

# Loads the modules it is told to, then says what came with them.
LOAD_EVERYTHING = """
import importlib, sys
for name in sys.argv[1].split():
    importlib.import_module(name)
print(" ".join(sorted(sys.modules)))
"""


def loaded_with(*names: str) -> set[str]:
    """What a fresh process has loaded once it has imported these."""
    command = [sys.executable, "-P", "-c", LOAD_EVERYTHING, " ".join(names)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(ended.stdout.split())
