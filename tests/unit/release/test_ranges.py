from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookmesh.release import ranges

versions = st.tuples(*[st.integers(0, 30)] * 3)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=2 <4", ["2", "2.0.1", "3.9.9"], ["1.9", "4", "4.1"]),
        ("2", ["2", "2.7", "2.7.1"], ["1", "3", "20"]),
        ("2.7", ["2.7", "2.7.1"], ["2", "2.6", "2.70"]),
        ("=2", ["2", "2.0", "2.0.0"], ["2.1"]),
        ("<2 || >=3.1", ["1.9", "3.1", "4"], ["2", "3", "3.0.9"]),
        (">= 2  <= 2.5", ["2", "2.5"], ["2.5.1"]),
        (">2", ["2.0.1", "3"], ["2"]),
    ],
)
def test_a_range_has_these_versions_and_not_those(text: str, inside: list[str], outside: list[str]) -> None:
    wanted = ranges.parse_range(text)
    assert [ranges.parse_version(one) in wanted for one in inside] == [True] * len(inside)
    assert [ranges.parse_version(one) in wanted for one in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    "text", ["", "  ", "||", ">=2 ||", "latest", ">=2 <x", "~1", "1.2.3.4", ">=", "2-3", "v2"]
)
def test_what_is_no_range_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"range|version"):
        ranges.parse_range(text)


@pytest.mark.parametrize("text", ["", "v1", "1.", "1.2.3.4", "-1", "1.x", "٣"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no version of a contract"):
        ranges.parse_version(text)


@given(versions)
def test_a_version_survives_writing_and_reading(version: ranges.Version) -> None:
    assert ranges.parse_version(ranges.render_version(version)) == version


@given(versions, versions)
def test_comparisons_agree_with_the_order_of_numbers(version: ranges.Version, limit: ranges.Version) -> None:
    text = ".".join(map(str, limit))
    assert (version in ranges.parse_range(f">={text}")) == (version >= limit)
    assert (version in ranges.parse_range(f"<{text}")) == (version < limit)
    assert (version in ranges.parse_range(f">={text} || <{text}")) is True
