"""The page as a file: what is in it, what may run in it, and what cannot get into it."""

import base64
import hashlib
import json
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from mockpump.cli.named_runs import named_run
from mockpump.display.page.document import asset, asset_names, model_json, page_of, script_text
from mockpump.display.page.model import Model
from mockpump.display.page.telling import model_of
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import Recording

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028\x1b[31m<!--\"'&amp;"


@cache
def bad_link() -> Model:
    run = named_run("bad-link", 7)
    return model_of(read_run(run.recording), run.title, run.programs)


class Read(HTMLParser):
    """The elements of a page, and the text of those that matter."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: dict[str, str] = {}
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        facts = dict(attrs)
        self._inside = facts.get("id") or tag if tag == "script" else tag

    def handle_data(self, data: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def policy_of(read: Read) -> str:
    return next(value for _, value in read.attributes if value and "default-src" in value)


def test_the_page_and_its_source_are_small() -> None:
    assert len(page_of(bad_link()).encode()) <= 300_000
    assert sum(len(asset(name).encode()) for name in asset_names()) <= 150_000


def test_only_the_script_and_the_style_that_are_meant_may_run() -> None:
    read = Read(page_of(bad_link()))
    sources = dict(part.strip().split(" ", 1) for part in policy_of(read).split(";"))
    assert sources == {
        "default-src": "'none'",
        "script-src": hashed(read.texts["script"]),
        "style-src": hashed(read.texts["style"]),
    }


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_nothing_is_loaded() -> None:
    read = Read(page_of(bad_link()))
    assert not {name for name, _ in read.attributes} & {"src", "href", "style", "onclick", "onload"}
    assert read.tags.count("script") == 2
    source = script_text() + asset("page.css")
    assert set(re.findall(r"https?://[^\s\"'`]+", source)) == {"http://www.w3.org/2000/svg"}
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacent", "eval(", "fetch(", "@import"):
        assert forbidden not in source
    assert "document.write" not in source


def test_the_same_run_gives_the_same_page() -> None:
    run = named_run("bad-link", 7)
    again = model_of(read_run(run.recording), run.title, run.programs)
    assert page_of(again) == page_of(bad_link())


def test_the_model_in_the_page_is_the_model() -> None:
    model = bad_link()
    embedded = Read(page_of(model)).texts["model"]
    assert json.loads(embedded) == json.loads(model_json(model))
    assert msgspec.json.decode(embedded, type=Model) == model


def test_what_the_model_is_has_a_schema() -> None:
    schema = msgspec.json.schema(Model)
    definitions: dict[str, Any] = schema["$defs"]
    assert {"Model", "Frame", "Arrival", "Knot", "Image"} <= set(definitions)
    assert definitions["Model"]["properties"]["format"]["enum"] == ["mockpump-page/1"]


def test_hostile_texts_stay_texts() -> None:
    run = named_run("bad-link", 7)
    head = msgspec.structs.replace(run.recording.head, title=HOSTILE)
    told = [
        msgspec.structs.replace(line, text=HOSTILE) if hasattr(line, "text") else line
        for line in run.recording.lines
    ]
    model = model_of(read_run(Recording(head, told)), HOSTILE)
    page = page_of(model)
    read, harmless = Read(page), Read(page_of(bad_link()))
    assert read.tags == harmless.tags
    assert json.loads(read.texts["model"])["title"] == HOSTILE
    assert read.texts["title"] == HOSTILE
    assert "\u2028" not in read.texts["model"]
    assert "<" not in read.texts["model"]


# -- the modules ---------------------------------------------------------------------------------

DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
SCRIPTS = [name for name in asset_names() if name.endswith(".js")]


def test_every_name_at_the_top_of_a_module_is_the_only_one() -> None:
    names = []
    for script in SCRIPTS:
        names += DECLARED.findall(asset(script))
        # A line may declare several constants.
        for line in re.findall(r"^const .*;$", asset(script), re.MULTILINE):
            names += re.findall(r", ([A-Z][A-Z_]*) = ", line)
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_module_imports_names_that_are_exported(name: str) -> None:
    text = asset(name)
    for names, module in re.findall(r'^import \{([^}]*)\} from "\./([^"]+)";$', text, re.MULTILINE):
        exported = re.findall(
            r"^export (?:function|const|class) (\w+)", asset(module), re.MULTILINE
        )
        assert {each.strip() for each in names.split(",")} <= set(exported)
    assert len(re.findall(r"^import ", text, re.MULTILINE)) == text.count('from "./')


def test_all_in_one_nothing_is_imported_or_exported() -> None:
    assert not re.search(r"^(import|export)\b", script_text(), re.MULTILINE)
    assert script_text().rstrip().endswith("begin();")
