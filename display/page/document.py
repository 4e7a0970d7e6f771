"""The page: a model, the style and the script, in one file that needs nothing else.

The script is written as ES modules that import each other.  A browser does not load those from a
file, so they are put behind one another here, what is imported first, and their imports and exports
are taken away: every name at the top of a module must be the only one of that name, and a module
imports names only, never a whole module or under another name.

Nothing runs but this script and nothing is loaded: the policy in the page's head names both by
their SHA-256.
"""

import base64
import hashlib
import html
import re
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from string import Template

import msgspec

from mockpump.display.page.model import Model

# By these words a file is known to be one of ours.
GENERATOR = '<meta name="generator" content="mockpump view">'
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class)\b)", re.MULTILINE)
# What would end the element that holds JSON, or a line of a script in some readers.
_ESCAPED = {"<": "\\u003c", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page_of(model: Model) -> str:
    """The whole page, as the text of an HTML file."""
    script, style = script_text(), asset("page.css")
    return Template(asset("page.html")).substitute(
        title=html.escape(model.name),
        policy=f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}",
        style=style,
        model=embedded(model_json(model)),
        script=script,
    )


def model_json(model: Model) -> str:
    """The model as JSON, on one line."""
    return msgspec.json.encode(model).decode()


def embedded(json: str) -> str:
    """JSON that may stand in a page: it means the same and has nothing that HTML acts on."""
    for character, escape in _ESCAPED.items():
        json = json.replace(character, escape)
    return json


@cache
def script_text() -> str:
    """All modules in one, each behind those that it imports."""
    modules = {name: asset(name) for name in asset_names() if name.endswith(".js")}
    graph = {name: sorted(_IMPORT.findall(text)) for name, text in sorted(modules.items())}
    ordered = TopologicalSorter(graph).static_order()
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", modules[name])) for name in ordered)


def asset_names() -> list[str]:
    """The files that the page is made of."""
    return sorted(each.name for each in (files("mockpump") / "display" / "assets").iterdir())


@cache
def asset(name: str) -> str:
    """One of them."""
    return (files("mockpump") / "display" / "assets" / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
