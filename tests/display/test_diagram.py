"""The picture of a run: every frame once, labels apart, arrows downwards, nothing foreign in it."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from recorded import example_bundle, random_run, run_of

from mockpump import Trace
from mockpump.cli.pictures import PICTURES, drawn
from mockpump.display.diagram import diagram
from mockpump.emulator.trace.run import Run
from mockpump.testing import FrameFate, LinkPair

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
RUNS = {
    **{name: run_of(example_bundle(name)) for name in ("bad-link", "replay-attack", "crossing")},
    **{f"random {seed}": random_run(seed) for seed in (0, 5, 14)},
}
each_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def whole(run: Run) -> ElementTree.Element:
    return ElementTree.fromstring(diagram(run, range(1, run.last + 1)))


def labels(picture: ElementTree.Element) -> list[ElementTree.Element]:
    """The texts beside the lifelines."""
    return [text for text in picture.iter(f"{SVG}text") if text.get("x") in ("250", "510")]


@each_run
def test_every_frame_has_one_label(run: Run) -> None:
    firsts = [text[0].text for text in labels(whole(run)) if len(text)]
    assert [str(first).strip() for first in firsts] == [str(each.number) for each in run.frames]


@each_run
def test_no_label_is_above_another(run: Run) -> None:
    for side in ("250", "510"):
        found = (each for each in labels(whole(run)) if each.get("x") == side)
        places = sorted(int(each.get("y", "")) for each in found)
        assert all(later - earlier >= 19 for earlier, later in pairwise(places))


@each_run
def test_no_arrow_goes_up_and_each_arrival_has_one(run: Run) -> None:
    arrows = [
        path.get("d", "")
        for path in whole(run).iter(f"{SVG}path")
        if path.get("class", "").split()[0] in ("programmer", "pump")
    ]
    ends = [re.fullmatch(r"M\d+ (\d+)L\d+ (\d+)", each) for each in arrows]
    assert all(found and int(found[1]) <= int(found[2]) for found in ends)
    lost = sum(not each.arrivals for each in run.frames)
    assert len(arrows) == lost + sum(len(each.arrivals) for each in run.frames)


@each_run
def test_each_loss_and_each_rejection_has_a_cross(run: Run) -> None:
    crosses = sum(path.get("class") == "cross" for path in whole(run).iter(f"{SVG}path"))
    bad = sum(not arrival.is_good for each in run.frames for arrival in each.arrivals)
    assert crosses == bad + sum(bool(each.lost) for each in run.frames)


def test_a_title_of_somebody_elses_is_only_text() -> None:
    pair = LinkPair([FrameFate()], traced=True).open()
    run = Trace.of(pair, "</title><script>x</script>\x1b[2J").run
    picture = diagram(run, [1, 2])
    assert "<script" not in picture
    assert "\x1b" not in picture
    assert ElementTree.fromstring(picture)[0].text == r"</title><script>x</script>\x1b[2J"


def test_what_is_not_in_the_run_is_not_drawn() -> None:
    run = RUNS["crossing"]
    with pytest.raises(KeyError):
        diagram(run, [run.last + 1])
    assert not labels(ElementTree.fromstring(diagram(run, [])))


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_of_the_documents_are_fresh(name: str) -> None:
    """`python -m mockpump.cli.pictures docs/pictures` draws them anew."""
    assert (ROOT / "docs" / "pictures" / name).read_text("utf-8") == drawn(PICTURES[name])


def test_every_picture_is_shown_and_every_one_that_is_shown_is_there() -> None:
    pages = (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
    texts = [path.read_text("utf-8") for path in pages]
    shown = set(re.findall(r"!\[[^]]+\]\((?:docs/)?pictures/([\w-]+\.svg)\)", "".join(texts)))
    assert shown == set(PICTURES) == {each.name for each in (ROOT / "docs/pictures").iterdir()}
