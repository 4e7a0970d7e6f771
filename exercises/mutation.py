"""Changing a module's source before it is first imported.

The one idea: a finder that stands before the usual one takes the source of the few modules it knows
from where it always is, changes it, and compiles that.  So whoever imports them, in whatever way,
gets the changed ones, and a test file's imports stay plain.

The first statement of each function that a change is in tells `DefectReached`: a test that never
comes there has not been about it.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from mockpump.exercises.errors import LadderError
from mockpump.exercises.exercise import Patch

_MARK = "_exercised_"


class DefectReached:
    """Whether changed code has run since a test began.

    What runs while modules are imported, before the first test, counts for all of them: it may have
    made what they use.
    """

    def __init__(self) -> None:
        self._since = self._before = False
        self._testing = False

    def __bool__(self) -> bool:
        return self._since or self._before

    def mark(self) -> None:
        """It has run."""
        self._since = True

    def begin(self) -> None:
        """A test begins."""
        self._before = self._before or (self._since and not self._testing)
        self._testing, self._since = True, False


def changed(source: str, patches: Iterable[Patch]) -> tuple[str, list[range]]:
    """The source with every patch applied, and the lines of what is new.

    `LadderError` when the `old` of a patch is not in it exactly once.
    """
    places: list[range] = []
    for patch in patches:
        if not patch.old or source.count(patch.old) != 1:
            where = f"{patch.module}: {patch.old.strip()[:60]!r}"
            raise LadderError(f"{where} is there {source.count(patch.old)} times, not once")
        at, more = source.index(patch.old), len(patch.new) - len(patch.old)
        places = [range(p.start + more, p.stop + more) if p.start > at else p for p in places]
        places.append(range(at, at + len(patch.new)))
        source = source.replace(patch.old, patch.new)
    return source, [_lines(source, place) for place in places]


def _lines(source: str, place: range) -> range:
    """The lines that a stretch of text is on; blank ones around it do not count."""
    text = source[place.start : place.stop]
    first = source.count("\n", 0, place.start) + len(text) - len(text.lstrip("\n")) + 1
    return range(first, first + text.strip("\n").count("\n") + 1)


def compiled(source: str, lines: Iterable[range], path: str) -> CodeType:
    """The source as code, with a mark at the head of each function that has one of those lines."""
    tree = ast.parse(source, path)
    for each in lines:
        _set_mark(tree, each)
    return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)


def _set_mark(tree: ast.Module, lines: range) -> None:
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body[0].lineno <= lines.start <= (node.end_lineno or 0)
    ]
    # The innermost is the one that begins last.
    body = max(around, key=lambda node: node.lineno).body if around else tree.body
    # In front of the work, but after a docstring; in a module, after everything.
    place = _after_docstring(body) if around else len(body)
    # On a line that is there: by its lines the next change is found.
    beside = body[min(place, len(body) - 1)]
    mark = ast.Expr(ast.Call(ast.Name(_MARK, ast.Load()), [], []))
    body.insert(place, ast.copy_location(mark, beside))


def _after_docstring(body: list[ast.stmt]) -> int:
    match body[0]:
        case ast.Expr(value=ast.Constant(value=str())):
            return 1
    return 0


class PatchingFinder:
    """Finds the modules of some patches, changed; it knows no others."""

    def __init__(self, patches: Sequence[Patch], exercised: DefectReached) -> None:
        self._patches = patches
        self._modules = {patch.module for patch in patches}
        self._exercised = exercised

    def install(self) -> None:
        """Stand before the finder of files.  `LadderError` when it is too late for that.

        Finders that stand before it have reasons of their own, and ask the rest in turn.
        """
        late = self._modules & sys.modules.keys()
        if late:
            raise LadderError(f"imported before it could be changed: {', '.join(sorted(late))}")
        sys.meta_path.insert(sys.meta_path.index(PathFinder), self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As the import system asks for it."""
        if name not in self._modules:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None:
            raise LadderError(f"there is no module {name}")
        spec.loader = _PatchingLoader(name, spec.origin, self._patches, self._exercised)
        return spec


class _PatchingLoader(SourceFileLoader):
    def __init__(
        self, name: str, path: str, patches: Sequence[Patch], exercised: DefectReached
    ) -> None:
        super().__init__(name, path)
        self._patches = [patch for patch in patches if patch.module == name]
        self._exercised = exercised

    def get_code(self, fullname: str) -> CodeType:
        """The changed code; what is cached of the module is neither read nor written."""
        source = importlib.util.decode_source(self.get_data(self.path))
        return compiled(*changed(source, self._patches), self.path)

    def exec_module(self, module: ModuleType) -> None:
        """Run it, with the mark that its functions use."""
        module.__dict__[_MARK] = self._exercised.mark
        super().exec_module(module)
