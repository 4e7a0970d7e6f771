"""Makes `hypothesis.strategies.from_type` know what this project is made of.

Hypothesis calls `register` whenever it is imported, by whomever; so nothing of the project is
imported here.  What is imported later is registered when it has been; and only when something is
drawn are the strategies themselves loaded.
"""

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def register() -> None:
    """Have the types of each module registered: now, or as soon as it is imported."""
    for name, hook in _HOOKS.items():
        module = sys.modules.get(name)
        if module is not None:
            hook(module)
    waiting = _HOOKS.keys() - sys.modules.keys()
    if waiting:
        sys.meta_path.insert(0, _Finder(waiting))


def _messages(module: ModuleType) -> None:
    from hypothesis.strategies import register_type_strategy

    for entry in module.CATALOGUE.values():
        register_type_strategy(entry.message, lambda kind: _strategies().records(kind))


def _programs(module: ModuleType) -> None:
    from hypothesis.strategies import register_type_strategy

    register_type_strategy(module.Program, lambda _: _strategies().programs())


def _frames(module: ModuleType) -> None:
    from hypothesis.strategies import register_type_strategy

    register_type_strategy(module.Frame, lambda _: _strategies().frames())


def _strategies() -> Any:
    from mockpump.protocol import strategies

    return strategies


_HOOKS: dict[str, Callable[[ModuleType], None]] = {
    "mockpump.protocol.messages": _messages,
    "mockpump.protocol.program": _programs,
    "mockpump.protocol.framing": _frames,
}


class _Finder:
    """Finds a few modules as everybody else does, and calls a hook when one has been loaded."""

    def __init__(self, names: Sequence[str] | set[str]) -> None:
        self._names = set(names)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As the import system asks for it."""
        if name not in self._names:
            return None
        # Asked from here, it leaves the question to the others.
        self._names.discard(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            # Whoever asks may only have wanted to know, or may fail to load it.
            self._names.add(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, _HOOKS[name])
        return spec


class _Loader(Loader):
    """Another loader, and a hook after it."""

    def __init__(self, inner: Loader, hook: Callable[[ModuleType], None]) -> None:
        self._inner = inner
        self._hook = hook

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the other one does it."""
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load it, and tell who waits for it."""
        # From here on it is as if nobody had stood in between.
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._inner
        self._inner.exec_module(module)
        self._hook(module)
