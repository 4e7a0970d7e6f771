"""The page as a reader meets it, in a browser."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from browsing import Open
from playwright.sync_api import Page, expect

NAMES = ("bad-link", "bolus-lost-reply", "replay-attack", "out-of-range", "windows", "end")
# So high is a tile of the ladder.
TILE = 480
SETTINGS = (
    ("", 1280),
    ("#mode=order", 1280),
    ("#zoom=0.5", 1280),
    ("#zoom=2", 1600),
    ("#large=1", 1920),
    ("", 400),
    ("#mode=order", 400),
)
# Texts whose boxes share more than a hair's breadth; one that two tiles share is there twice.
OVERLAPS = """() => {
  const unit = parseFloat(getComputedStyle(document.body).fontSize) / 13;
  const texts = [...document.querySelectorAll('#canvas text')].map(
    (each) => ({ text: each.textContent, box: each.getBoundingClientRect() }));
  texts.sort((a, b) => a.box.top - b.box.top);
  const found = [];
  texts.forEach((a, i) => {
    for (let j = i + 1; j < texts.length && texts[j].box.top < a.box.bottom; j += 1) {
      const b = texts[j];
      const x = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const y = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      const near = Math.abs(a.box.left - b.box.left) < 2 && Math.abs(a.box.top - b.box.top) < 2;
      const same = a.text === b.text && near;
      if (x > 2 && y > 4.5 * unit && !same) found.push([a.text, b.text]);
    }
  });
  return found;
}"""


def model_in(page: Page) -> Any:
    return json.loads(page.locator("#model").text_content() or "")


def chosen(page: Page) -> int:
    return int(re.findall(r"event=(\d+)", page.url)[0])


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def whole(page: Page) -> None:
    """Make the window so high that the whole ladder is drawn."""
    size = page.viewport_size
    assert size
    height = page.evaluate("document.getElementById('canvas').offsetHeight")
    page.set_viewport_size({"width": size["width"], "height": height + 900})
    expect(page.locator(".tile")).to_have_count(-(-height // TILE))


# -- it is all there -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_ladder_and_its_words_are_the_model(open_page: Open, name: str) -> None:
    page = open_page(name)
    model = model_in(page)
    rows = page.locator("#mirror li[id]").all_text_contents()
    assert len(rows) == len(model["frames"])
    for row, frame in zip(rows, model["frames"], strict=True):
        assert frame["name"] in row
        assert row.lower().count(frame["fate"].lower()) == 1
    whole(page)
    while page.locator(".fold").count():
        page.locator(".fold").first.dispatch_event("click")
    whole(page)
    drawn = page.eval_on_selector_all(
        "#canvas .frame:not(.label)", "all => all.map((each) => Number(each.dataset.frame))"
    )
    assert sorted(set(drawn)) == list(range(1, len(model["frames"]) + 1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("hash_", "width"), SETTINGS)
def test_no_words_lie_on_others(open_page: Open, name: str, hash_: str, width: int) -> None:
    page = open_page(name, hash_, width)
    whole(page)
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_first_picture_is_there_within_a_second(open_page: Open) -> None:
    page = open_page("bad-link")
    assert page.evaluate("performance.getEntriesByName('first-contentful-paint').length") <= 1
    assert (
        page.evaluate("performance.timing.domComplete - performance.timing.navigationStart") < 1000
    )


def test_a_run_of_nothing_is_a_page(open_page: Open) -> None:
    page = open_page("empty")
    press(page, "j", "n", "1", "t", "+", "l", "]", " ", "0", "r")
    assert "no frame" in (page.locator("#panel").text_content() or "")


@pytest.mark.parametrize("hash_", ["", "#mode=order"])
def test_hostile_texts_are_shown_and_do_nothing(open_page: Open, hash_: str) -> None:
    page = open_page("hostile", hash_)
    assert page.title() == "hostile"
    assert "<img src=x onerror=alert(1)>" in (page.locator("#title").text_content() or "")
    assert page.locator("img").count() == 0
    press(page, "j", "j", "k", "]")
    whole(page)
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# -- going through it ----------------------------------------------------------------------------


def test_everything_is_done_with_the_keyboard(open_page: Open) -> None:
    page = open_page("bad-link", "#event=1")
    model = model_in(page)
    press(page, "j", "j")
    assert chosen(page) == 3
    press(page, "k")
    assert chosen(page) == 2
    press(page, "n")
    troubled = [i for i, each in enumerate(model["frames"], 1) if each.get("is_troubled")]
    assert chosen(page) == min(each for each in troubled if each > 2)
    press(page, "3")
    assert chosen(page) == model["knots"][2]["focus"]
    before = chosen(page)
    press(page, "l")
    assert chosen(page) == model["frames"][before - 1]["effects"][0]
    press(page, "h")
    assert chosen(page) == before
    press(page, "t", "+", "b", "d")
    assert "mode=order" in page.url
    assert "zoom=" in page.url
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.locator("html").get_attribute("data-size") == "large"
    press(page, "0", "r")
    assert "mode" not in page.url
    press(page, "?")
    assert page.locator("#help").is_visible()
    press(page, "Escape")
    assert not page.locator("#help").is_visible()


def test_a_screen_reader_is_told_of_what_is_chosen(open_page: Open) -> None:
    page = open_page("bad-link", "#event=9")
    press(page, "j")
    said = page.locator("#said").text_content() or ""
    assert "ReadProgram 3, 2nd transmission. Lost on the line." in said
    assert page.locator("#mirror [aria-current]").all_text_contents() == [said]


def test_a_frame_is_chosen_by_a_click_and_brought_into_sight(open_page: Open) -> None:
    page = open_page("bad-link", "#event=1")
    page.locator('#canvas .label[data-frame="4"]').first.click()
    assert chosen(page) == 4
    press(page, *["j"] * 40)
    box = page.locator(f'#canvas .label[data-frame="{chosen(page)}"]').first.bounding_box()
    assert box
    assert 0 < box["y"] < 900


def test_the_strip_moves_through_the_run(open_page: Open) -> None:
    page = open_page("bad-link", "#event=1")
    box = page.locator("#run").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 50)
    page.mouse.up()
    later = chosen(page)
    assert later > 10
    page.locator("#strip").focus()
    press(page, "Home")
    assert chosen(page) == 1
    press(page, *["PageDown"] * 4)
    assert chosen(page) > 1
    assert "frame" in (page.locator("#strip").get_attribute("aria-valuetext") or "")


def test_a_run_is_played_and_stopped(open_page: Open) -> None:
    page = open_page("bad-link", "#event=1")
    page.locator("#speed").select_option("10")
    press(page, "k")
    page.locator("#play").click()
    later = re.compile(r"frame (1[3-9]|[2-9]\d)$")
    expect(page.locator("#strip")).to_have_attribute("aria-valuetext", later, timeout=15_000)
    page.locator("#play").click()
    assert page.locator("#play").text_content() == "play"
    assert chosen(page) > 12


# -- bytes ---------------------------------------------------------------------------------------


def test_a_byte_a_field_and_the_arrow_show_each_other(open_page: Open) -> None:
    page = open_page("bad-link", "#event=17")
    byte = page.locator('#bytes .on-line [data-byte="35"]')
    byte.hover()
    lit = page.locator("#bytes .byte.lit")
    assert lit.count() == 2
    assert page.locator("#bytes .field.lit").text_content()
    assert "byte 35 of 197" in (page.locator("#byte-words").text_content() or "")
    assert page.locator("#byte line").count() == 1
    band = page.locator('#canvas .frame:not(.label)[data-frame="17"] polygon').first.bounding_box()
    assert band
    page.mouse.move(band["x"] + band["width"] / 4, band["y"] + band["height"] / 2)
    words = page.locator("#byte-words").text_content() or ""
    assert 60 < int(re.findall(r"byte (\d+)", words)[0]) < 140


def test_a_link_leads_to_a_byte(open_page: Open) -> None:
    page = open_page("bad-link", "#event=17&byte=93")
    assert page.locator("#bytes .byte.pinned").count() == 2
    assert page.locator("h2").text_content() == "WriteProgram 5 programmer \u2192 pump"
    press(page, "]")
    assert page.url.endswith("#event=17&byte=94")
    page.evaluate("location.hash = '#event=2'")
    page.wait_for_selector("h2:has-text('OPEN_ACK')")


def test_what_is_damaged_is_shown_bit_by_bit(open_page: Open) -> None:
    page = open_page("bad-link", "#event=17")
    flips = model_in(page)["frames"][16]["arrivals"][0]["flips"]
    shown = page.locator(".bits").all_text_contents()
    assert len(shown) == len(flips)
    for text, (byte, was, came, _) in zip(shown, flips, strict=True):
        assert text == (f"byte {byte}: {was:02x} = {was:08b} came as {came:02x} = {came:08b}")


# -- looks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_as_the_system_wants_it(open_page: Open, scheme: str) -> None:
    page = open_page("bad-link", scheme=scheme)
    assert page.locator("html").get_attribute("data-theme") == scheme


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_text_can_be_read_on_every_ground(open_page: Open, scheme: str) -> None:
    page = open_page("bad-link", scheme=scheme)
    names = (
        "ground",
        "panel",
        "mark",
        "fainter",
        "ink",
        "dim",
        "programmer",
        "pump",
        "guest",
        "fault",
    )
    style = "getComputedStyle(document.documentElement)"
    found = {n: page.evaluate(f"{style}.getPropertyValue('--{n}').trim()") for n in names}
    for ground in ("ground", "panel"):
        for text in names[4:]:
            assert contrast(found[ground], found[text]) >= 4.5, (ground, text)
    for ground in ("mark", "fainter"):
        for text in ("ink", "dim"):
            assert contrast(found[ground], found[text]) >= 4.5, (ground, text)


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_it_prints_on_pages(open_page: Open) -> None:
    page = open_page("bad-link", scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#paper .sheet").count() >= 2
    frames = set(
        page.eval_on_selector_all("#paper .frame", "all => all.map((each) => each.dataset.frame)")
    )
    assert len(frames) > 30
    assert page.locator("html").get_attribute("data-theme") == "light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#paper .sheet").count() == 0
    assert len(page.pdf()) > 10_000


@pytest.mark.parametrize(("button", "ending"), [("save-svg", "svg"), ("save-txt", "txt")])
def test_what_is_seen_is_saved(open_page: Open, button: str, ending: str, tmp_path: Path) -> None:
    page = open_page("bad-link", "#event=9")
    with page.expect_download() as download:
        page.locator(f"#{button}").click()
    saved = tmp_path / "saved"
    download.value.save_as(saved)
    text = saved.read_text("utf-8")
    assert download.value.suggested_filename == f"bad-link-seed-7.{ending}"
    assert "ReadProgram" in text
    assert "var(--" not in text
    if ending == "svg":
        assert text.startswith("<svg ")
        assert "<script" not in text


def test_a_link_of_the_chain_of_causes_is_followed_and_the_focus_stays(open_page: Open) -> None:
    page = open_page("bad-link", "#event=10")
    page.locator(".why button").first.focus()
    press(page, "Enter")
    assert chosen(page) == 9
    assert page.evaluate("document.activeElement.id") == "panel"
    press(page, "j")
    assert chosen(page) == 10


@pytest.mark.parametrize("width", [40, 200, 320])
def test_a_window_may_be_as_small_as_it_likes(open_page: Open, width: int) -> None:
    open_page("bad-link", width=width, height=400)


def test_what_waited_longest_leads_to_the_note_that_says_why(open_page: Open) -> None:
    page = open_page("bad-link")
    model = model_in(page)
    text, numbers = model["waits"][0]
    head = page.locator("#waits")
    expect(head).to_contain_text(f"waited: {text}")
    head.locator("button").first.click()
    note = next(knot for knot in model["knots"] if knot["number"] == numbers[0])
    assert chosen(page) == note["focus"]
