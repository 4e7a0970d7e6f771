"""What opens a page: a scenario's name, a link, width, height, and light or dark."""

from collections.abc import Callable

from playwright.sync_api import Page

Open = Callable[..., Page]
