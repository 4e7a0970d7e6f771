"""What an exercise says a learner may use is there, is as it is printed, and is enough.

The tables `[[api]]` are written for people: `Link(role, settings): open, send` is a class, its
first parameters and some of its members; `every message by its name` is what that module has.
"""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import mockpump.aio
import mockpump.errors
import mockpump.sansio
import mockpump.serial
import mockpump.testing
from mockpump.exercises.exercise import Exercise, ladder

PUBLIC = {
    module.__name__: set(module.__all__)
    for module in (
        mockpump,
        mockpump.aio,
        mockpump.errors,
        mockpump.sansio,
        mockpump.serial,
        mockpump.testing,
    )
}
OUTSIDE = sys.stdlib_module_names | {"hypothesis", "pytest"}
_ENTRY = re.compile(r"(\w+(?:\.\w+)?)(?: \(.*\)|\((.*?)\))?(?:: (.*))?")
_CALL = re.compile(r"`[^`]*?\b(\w+)\(([a-z_][\w, =]*)\)")

each_exercise = pytest.mark.parametrize("exercise", ladder(), ids=lambda each: each.name)


class Listed(NamedTuple):
    """An entry of a table, taken apart."""

    module: str
    name: str
    parameters: list[str]
    members: list[str]

    @property
    def thing(self) -> Any:
        found: Any = importlib.import_module(self.module)
        for part in self.name.split("."):
            found = getattr(found, part)
        return found


def listed(exercise: Exercise) -> Iterator[Listed]:
    for table in exercise.api:
        for entry in table.names:
            if entry.startswith("every "):
                continue
            match = _ENTRY.fullmatch(entry)
            assert match, entry
            name, parameters, members = match.groups(default="")
            yield Listed(table.module, name, words(parameters), words(members))


def words(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def allowed(exercise: Exercise) -> dict[str, set[str]]:
    """The names that may be imported from each module."""
    names: dict[str, set[str]] = {module: set(some) for module, some in PUBLIC.items()}
    for each in listed(exercise):
        names.setdefault(each.module, set()).add(each.name.partition(".")[0])
    for table in exercise.api:
        if any(entry.startswith("every ") for entry in table.names):
            names.setdefault(table.module, set()).update(
                vars(importlib.import_module(table.module))
            )
    return names


def members_of(kind: type) -> set[str]:
    """What can be asked of its instances: what the class has, and what a method of it assigns."""
    assigned = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(kind)))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return assigned | set(dir(kind))


def parameters_of(thing: Any) -> list[str]:
    return [each for each in inspect.signature(thing).parameters if each != "self"]


@each_exercise
def test_each_name_in_a_table_is_there(exercise: Exercise) -> None:
    for each in listed(exercise):
        if each.parameters:
            # A constant stands where it is what is to be given.
            begin = [parameter.lower() for parameter in each.parameters]
            assert set(begin) <= set(parameters_of(each.thing)), each
        if each.members:
            assert set(each.members) <= members_of(each.thing), each
        assert each.thing is not None


@each_exercise
def test_a_call_in_a_readme_is_as_the_code_has_it(exercise: Exercise) -> None:
    things = {each.name: each.thing for each in listed(exercise)}
    for name, arguments in _CALL.findall(exercise.text("README.md")):
        named = [each.partition("=")[0] for each in words(arguments)]
        found = [things[name]] if name in things else []
        found += [
            vars(each)[name]
            for each in things.values()
            if inspect.isclass(each) and name in vars(each)
        ]
        # Of `advance(a); advance(b)` the letters are values.
        letters = all(len(each) == 1 for each in named)
        for thing in (each for each in found if callable(each) and not letters):
            assert set(named) <= set(parameters_of(thing)), f"{name}({arguments})"


@each_exercise
@pytest.mark.parametrize("file", ["start.py", "reference.py"])
def test_a_learners_file_imports_what_its_table_names(exercise: Exercise, file: str) -> None:
    assert not list(smuggled(ast.parse(exercise.text(file)), allowed(exercise)))


@each_exercise
def test_a_readme_shows_code_that_a_learner_may_write(exercise: Exercise) -> None:
    for block in re.findall("```python\n(.*?)```", exercise.text("README.md"), re.DOTALL):
        assert not list(smuggled(ast.parse(block), allowed(exercise)))


def smuggled(tree: ast.Module, names: dict[str, set[str]]) -> Iterator[str]:
    """What is imported, or asked of a module that is, although no table names it."""
    modules: dict[str, str] = {}
    for module, name, local in imported(tree):
        whole = f"{module}.{name}" if module else name
        modules[local] = whole
        if whole not in names and name not in names.get(module, set()):
            yield whole
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id, "")
            if module in names and node.attr not in names[module]:
                yield f"{module}.{node.attr}"


def imported(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """What a file imports of this project, or of one that it should not know: from where, as what.

    Of `import a.b` the module is empty and the name is whole.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                if (module or alias.name).partition(".")[0] not in OUTSIDE:
                    yield module, alias.name, alias.asname or alias.name


def test_what_no_table_names_is_found() -> None:
    names = {"mockpump.protocol.messages": {"Mode"}, "mockpump": {"World"}}
    code = (
        "import random\nimport socketserver2\nfrom hypothesis import given\n"
        "from mockpump import World, Worlds\nfrom mockpump.protocol import messages as m\n"
        "from mockpump.protocol.codec import Codec\nm.Mode\nm.Slot\n"
    )
    assert list(smuggled(ast.parse(code), names)) == [
        "socketserver2",
        "mockpump.Worlds",
        "mockpump.protocol.codec.Codec",
        "mockpump.protocol.messages.Slot",
    ]
