"""A browser, and pages in it that complain of everything a page must not do."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import Open
from playwright.sync_api import Browser, Page, sync_playwright

from mockpump.cli.named_runs import named_run
from mockpump.display.page.document import page_of
from mockpump.display.page.telling import model_of
from mockpump.emulator.trace.model import read_run

# Several in flight, with faults of every kind, which no example has; nothing; what one end
# has seen; what harms a page.
PATHS = {
    "windows": Path(__file__).with_name("windows.toml"),
    "empty": Path(__file__).with_name("empty.trace"),
    "end": Path(__file__).with_name("end.trace"),
    "hostile": Path(__file__).with_name("hostile.trace"),
}
SEEDS = {"bad-link": 7, "bolus-lost-reply": 7, "replay-attack": 7, "out-of-range": 7}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert found, "these tests need Chromium: apt-get install chromium"
    # Root may not have Chromium's sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes the page of a scenario, once, and says where."""
    folder = tmp_path_factory.mktemp("pages")

    def write(name: str) -> Path:
        file = folder / f"{name}.html"
        if not file.exists():
            run = named_run(str(PATHS.get(name, name)), SEEDS.get(name, 10))
            model = model_of(read_run(run.recording), run.title, run.programs)
            file.write_text(page_of(model), "utf-8")
        return file

    return write


@pytest.fixture
def open_page(browser: Browser, page_file: Callable[[str], Path]) -> Iterator[Open]:
    """Opens a page from its file; whatever it complains of or asks for fails the test."""
    complaints: list[str] = []
    contexts = []

    def opened(
        name: str, hash_: str = "", width: int = 1280, height: int = 900, scheme: str = "light"
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        address = page_file(name).as_uri()
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(address) else complaints.append(request.url)
            ),
        )
        page.goto(address + hash_)
        page.wait_for_selector("html[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
