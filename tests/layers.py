"""What a contract of import-linter (pyproject.toml) or a rule of ruff cannot say.

`offences(root)` reads the folders under `root` and yields one line for each broken rule, in the
form `protocol/link/link.py:12: imports ...`. Nothing is imported or run, so the same functions
judge the project and the small bad trees that `test_architecture.py` writes to see each rule fail.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

LAYERS = ("protocol", "emulator", "exercises", "reference", "display", "cli")
# What is not about the devices, and may touch whatever it needs.
OUTSIDE = {"cli", "exercises", "reference"}
# Files as a learner has them: they may import whatever a learner may.
LEARNERS = "exercises/ladder/"
OTHER_FOLDERS = ("tests", "examples", "bench", "fuzz")

HEAVY = frozenset(
    {
        "hypothesis",
        "rich",
        "mockpump.protocol.strategies",
        "mockpump.emulator.simulation.pump_machine",
    }
)
MAY_BE_HEAVY = {"protocol/strategies.py", "emulator/simulation/pump_machine.py"}

# Where text leaves for a terminal, with what a terminal takes for a command escaped in it.
MAY_PRINT = {"cli/terminal.py", "cli/render.py", "cli/tables.py", "exercises/gate.py"}
PRINTING = {"print", "click.echo", "click.secho", "sys.stdout.write", "sys.stderr.write"}

# Who writes into a memory: the pump that lives, the one that is made, the mark of a copy.
MAY_RECORD = {"emulator/pump/journal.py", "emulator/pump/factory.py", "cli/memories.py"}

# Where chance comes in; all else has a seed.
MAY_DRAW = {"emulator/transports/drawing.py"}
DRAWING = {"os.urandom", "random.SystemRandom", "SystemRandom", "urandom"}
UNSEEDED = ("secrets", "uuid")

# Where a pump's `Refused` is made.
MAY_REFUSE = {"emulator/pump/requests/decision.py"}

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 45


@dataclass(frozen=True)
class Import:
    target: str
    line: int
    at_load: (
        bool  # done when the module is loaded, not in a function, not for the type checker only
    )


@dataclass(frozen=True)
class Module:
    path: str  # relative to the root, with forward slashes
    source: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def folder(self) -> str:
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        return "mockpump." + self.path.removesuffix(".py").removesuffix("/__init__").replace(
            "/", "."
        )


def read(root: Path, *folders: str) -> list[Module]:
    paths = (path for folder in folders for path in sorted((root / folder).rglob("*.py")))
    return [_module(path.relative_to(root).as_posix(), path.read_text("utf-8")) for path in paths]


def _module(path: str, source: str) -> Module:
    tree = ast.parse(source, path)
    return Module(path, source, tree, tuple(_imports(tree, at_load=True)))


def _imports(node: ast.AST, *, at_load: bool) -> Iterator[Import]:
    match node:
        case ast.Import(names=names):
            yield from (Import(alias.name, node.lineno, at_load) for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = "." * level + (module or "")
            # `from a import b` may name the module a.b or a thing in a: both are noted.
            yield Import(base, node.lineno, at_load)
            yield from (Import(f"{base}.{alias.name}", node.lineno, at_load) for alias in names)
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
            yield from _imports_of(body, at_load=False)
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body, orelse=orelse):
            yield from _imports_of(body, at_load=False)
            yield from _imports_of(orelse, at_load=at_load)
        case ast.expr():
            pass  # nothing is imported inside an expression
        case _:
            yield from _imports_of(ast.iter_child_nodes(node), at_load=at_load)


def _imports_of(nodes: Iterator[ast.AST] | list[ast.stmt], *, at_load: bool) -> Iterator[Import]:
    for node in nodes:
        yield from _imports(node, at_load=at_load)


def offences(root: Path) -> Iterator[str]:
    """Every broken rule of the tree, one line each."""
    source = read(root, *LAYERS)
    everything = source + read(root, *OTHER_FOLDERS)
    for module in source:
        yield from opened_files(module)
        yield from heavy_imports(module)
        yield from printing(module)
        yield from recording(module)
        yield from drawing(module)
        yield from refusing(module)
    for module in everything:
        yield from second_copies(module)
        yield from long_files(module)
        yield from long_functions(module)
    yield from cycles(source)
    yield from split_classes([each for each in source if not each.path.startswith(LEARNERS)])


def opened_files(module: Module) -> Iterator[str]:
    """protocol is sans-IO, and `open` needs no import."""
    if module.folder == "protocol":
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Name(id="open"), lineno=line):
                    yield f"{module.path}:{line}: opens a file, which is a door to the outside"


def heavy_imports(module: Module) -> Iterator[str]:
    """Loading protocol or emulator never loads Hypothesis or Rich, nor what does."""
    if module.folder in OUTSIDE or module.path in MAY_BE_HEAVY:
        return
    for found in module.imports:
        if found.at_load and (found.target in HEAVY or _top(found) in HEAVY):
            where = f"{module.path}:{found.line}"
            yield f"{where}: imports {found.target} when loaded; it is slow to load"


def printing(module: Module) -> Iterator[str]:
    """Nothing is printed but through the door that escapes what a terminal could act on."""
    if module.path in MAY_PRINT or module.path.startswith(LEARNERS):
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name() | ast.Attribute() as called, lineno=line):
                name = ast.unparse(called)
                if name in PRINTING or name.endswith(("console().print", "stdout.buffer.write")):
                    where = f"{module.path}:{line}"
                    yield f"{where}: prints by {name}; use mockpump.cli.terminal"


def recording(module: Module) -> Iterator[str]:
    """Only these write into a pump's memory; the memories pass a record on among themselves."""
    if module.path in MAY_RECORD or module.path.startswith(("emulator/memory/", LEARNERS)):
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    attr="record", value=ast.Name(id=owner) | ast.Attribute(attr=owner)
                ),
                lineno=line,
            ) if owner.endswith("memory"):
                yield f"{module.path}:{line}: writes into a memory; that is for the journal"


def drawing(module: Module) -> Iterator[str]:
    """Ids, nonces and keys are drawn in one place; whatever else is drawn has a seed."""
    if module.path in MAY_DRAW or module.path.startswith(LEARNERS):
        return
    found = [(each.line, each.target) for each in module.imports if _top(each) in UNSEEDED]
    for node in ast.walk(module.tree):
        match node:
            case ast.Name() | ast.Attribute() if ast.unparse(node) in DRAWING:
                found.append((node.lineno, ast.unparse(node)))
            case ast.Call(func=ast.Name("Random") | ast.Attribute(attr="Random"), args=[]):
                found.append((node.lineno, "a Random without a seed"))
    for line, what in sorted(set(found)):
        yield f"{module.path}:{line}: draws by {what}; that is for transports/drawing.py"


def refusing(module: Module) -> Iterator[str]:
    """What goes out as a pump's no is made in one place, and a no that is decided is returned."""
    if module.path in MAY_REFUSE or not module.path.startswith("emulator/pump/"):
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name("refuse" | "refuse_excess")), lineno=line):
                yield f"{module.path}:{line}: refuses, and nobody hears of it; return it"
            case ast.Call(func=ast.Name("Refused") | ast.Attribute(attr="Refused"), lineno=line):
                yield f"{module.path}:{line}: makes a Refused; use `refuse` or `refused`"


def second_copies(module: Module) -> Iterator[str]:
    """`protocol` beside `mockpump.protocol` would be a second copy of every class in it."""
    for line, name in sorted({(found.line, _top(found)) for found in module.imports}):
        if name in LAYERS:
            yield f"{module.path}:{line}: imports {name} at the top level; write mockpump.{name}"


def cycles(modules: list[Module]) -> Iterator[str]:
    """No module is needed, through others, to load itself."""
    names = {module.name for module in modules}
    graph = {
        module.name: {found.target for found in module.imports if found.at_load} & names
        for module in modules
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield "import cycle: " + " <- ".join(error.args[1])


def long_files(module: Module) -> Iterator[str]:
    """A class stays whole; what else is in so long a file has an idea, and a file, of its own."""
    lines = len(module.source.splitlines())
    if module.folder != "tests" and lines > MAX_FILE_LINES:
        yield f"{module.path}:1: {lines} lines long; more than {MAX_FILE_LINES} is two ideas"


def split_classes(modules: list[Module]) -> Iterator[str]:
    """A class that exists to be the base of one other is half of it.

    It is one if the project names it nowhere but where it is defined and there.  An error is let
    off: it is a family, for those who catch it.
    """
    defined = {
        node.name: (module, node.lineno)
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }
    bases = Counter(
        base.id
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name)
    )
    named = Counter(
        node.id if isinstance(node, ast.Name) else node.attr
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name | ast.Attribute)
    )
    for name, (module, line) in defined.items():
        if bases[name] == 1 and named[name] == 1 and not name.endswith("Error"):
            yield f"{module.path}:{line}: {name} is the base of one class only; make them one"


def long_functions(module: Module) -> Iterator[str]:
    for node in _statements(module.tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    yield (
                        f"{module.path}:{node.lineno}: {node.name}() is {lines} lines long; "
                        f"at most {MAX_FUNCTION_LINES}"
                    )


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All of them, however deep; expressions hold none."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield child
            yield from _statements(child)


def _top(found: Import) -> str:
    return found.target.partition(".")[0]
