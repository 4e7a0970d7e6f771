"""Traces in Python: what is recorded changes nothing, is whole, and can be looked at."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairs import plans
from recorded import example_bundle

from mockpump import LocalProtocolError, MockpumpError, Trace, World, view
from mockpump.protocol.connection import Connection
from mockpump.protocol.link.link import Link
from mockpump.testing import FrameFate, LinkPair

SECOND = 1_000_000
# When, and by which end, a payload is sent.
TRAFFIC = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 200_000)), max_size=12)


def spoken(plan: list[FrameFate], traffic: list[tuple[int, int]], **how: object) -> LinkPair:
    pair = LinkPair(plan, **how).open()  # type: ignore[arg-type]
    for place, (side, pause) in enumerate(traffic):
        if pair.links[side].room:
            pair.links[side].send(bytes([place]), pair.now)
        pair.run(pause)
    return pair.run(10 * SECOND)


@given(plans(30), TRAFFIC, st.sampled_from([Link, Connection]))
def test_a_traced_pair_does_the_same_and_all_of_it_is_in_the_trace(
    plan: list[FrameFate], traffic: list[tuple[int, int]], make: type
) -> None:
    traced = spoken(plan, traffic, make=make, traced=True)
    assert traced.frames == spoken(plan, traffic, make=make).frames
    run = Trace.of(traced).run
    sent = sorted(at for side in traced.frames for at, _ in side)
    assert [each.at for each in run.frames if each.was_seen_sent] == sent
    assert run.holes == []


def asked(traced: bool) -> World:
    world = World(traced=traced)
    with world.connect() as programmer:
        programmer.status()
    return world


def test_a_traced_world_does_the_same_and_its_trace_reads_back(tmp_path: Path) -> None:
    world = asked(traced=True)
    assert world.now == asked(traced=False).now
    trace = Trace.of(world, "one status")
    assert [each.name for each in trace.frames] == [
        "OPEN", "OPEN_ACK", "GetStatus 0", "Status 0", "CLOSE", "CLOSE",
    ]  # fmt: skip
    assert trace.run.holes == []
    trace.save(tmp_path / "one status")
    again = Trace.read(tmp_path / "one status")
    assert [(each.name, each.at, each.data) for each in again.frames] == [
        (each.name, each.at, each.data) for each in trace.frames
    ]
    assert again.page().html == trace.page().html


def test_a_run_is_shown_whatever_it_was_recorded_by(tmp_path: Path) -> None:
    world = asked(traced=True)
    bundle = tmp_path / "run.bundle"
    bundle.write_text(example_bundle("handshake"), "utf-8")
    for run in (world, Trace.of(world), LinkPair(traced=True).open(), bundle, str(bundle)):
        page = view(run)
        assert page.html.startswith("<!doctype html>")
        assert page._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    page.save(tmp_path / "run.html")
    assert (tmp_path / "run.html").read_text("utf-8") == page.html


@pytest.mark.parametrize("recorder", [World(), LinkPair()])
def test_what_was_not_recorded_cannot_be_shown(recorder: World | LinkPair) -> None:
    with pytest.raises(LocalProtocolError, match="traced=True"):
        view(recorder)


def test_what_is_no_trace_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("nothing", "utf-8")
    for name in ("x", "nowhere"):
        with pytest.raises(MockpumpError, match=name) as caught:
            view(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_part_is_drawn_and_a_frame_explained() -> None:
    pair = LinkPair([FrameFate(())], traced=True).open()
    pair.ends[0].send(b"<b>", pair.now)
    pair.run(5 * SECOND)
    trace = Trace.of(pair, "<i>lost</i>")
    text, svg = str(trace.ladder(3, 4)), trace.ladder(3, 4)._repr_svg_()
    assert "lost" in text
    assert "<i>" in text
    assert "<i>" not in svg
    assert svg.count('class="cross"') == 1
    assert trace._repr_svg_().count('class="cross"') == 1
    shown = trace.frame(3)._repr_html_()
    assert "lost" in shown
    assert "<b>3</b>" in shown
    assert trace.why(3)[0] in str(trace.frame(3))
    assert repr(trace.frame(1)) == "<frame 1 of 0.000 s: OPEN, 15 bytes>"
    assert str(trace.ladder(9, 8)) == ""
    with pytest.raises(KeyError):
        trace.frame(99)
