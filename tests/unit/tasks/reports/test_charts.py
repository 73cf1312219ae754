from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.unit.tasks import sample

from bookmesh.tasks.records import Bar
from bookmesh.tasks.reports import charts


def test_a_split_has_a_row_an_answer_and_says_its_numbers() -> None:
    drawn = ET.fromstring(charts.split([Bar("v1", 97, 76, 124), Bar("<v3>", 3, 76, 124)]))
    assert drawn.get("aria-label") == "v1: 97, allowed 76 to 124, <v3>: 3, allowed 76 to 124"
    css = [box.get("class") for box in drawn.iter("i")]
    assert css == ["good", "range", "bad", "range"]
    assert [box.get("style") for box in drawn.iter("i")][:2] == ["width:97.0%", "left:76.0%;width:24.0%"]


def test_a_timeline_has_a_block_a_step() -> None:
    results = [sample.result(), sample.result("failed", key="other", began_at_s=3.0)]
    drawn = ET.fromstring(charts.timeline(results, 6.0))
    css = [rect.get("class") for rect in drawn.iter("rect")]
    assert (css.count("good"), css.count("bad"), css.count("cleaning")) == (1, 1, 2)
    assert [link.get("href") for link in drawn.iter("a")] == ["#traffic/shift", "#other"]


def test_nothing_to_draw_is_no_error() -> None:
    ET.fromstring(charts.timeline([], 0.0))
    ET.fromstring(charts.split([]))


def test_names_in_the_timeline_tell_tasks_apart() -> None:
    keys = [
        "a/mirroring",
        "a/mirroring/gateway-api",
        "a/ingress/gateway-api",
        "a/ingress/secure",
        "b",
        "c/d/e/f",
        "d/d/e/f",
    ]
    assert list(charts.short_names(keys).values()) == [
        "mirroring",
        "mirroring/gateway-api",
        "ingress/gateway-api",
        "ingress/secure",
        "b",
        "c/d/e/f",
        "d/d/e/f",
    ]


def test_long_names_lose_their_middle_and_keep_the_whole_as_a_title() -> None:
    key = f"area/{'x' * 60}/{'y' * 30}"
    drawn = ET.fromstring(charts.timeline([sample.result(key=key)], 1.0))
    (name,) = [text for text in drawn.iter("text") if text.get("class") == "name"]
    assert name.text is not None
    assert (len(name.text), name.text[-22:]) == (44, "y" * 22)
    assert [title.text for title in name] == [key]
