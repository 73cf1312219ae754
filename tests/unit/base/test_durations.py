from __future__ import annotations

import pytest

from bookmesh.base import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("0s", 0.0),
        ("7s", 7.0),
        ("1.5h", 5400.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        (".5s", 0.5),
        ("1m0.5s", 60.5),
        ("100us", 0.0001),
        ("100µs", 0.0001),
        ("5ns", 5e-9),
        ("2m2m", 240.0),
    ],
)
def test_duration_in_seconds(text: str, seconds: float) -> None:
    assert durations.parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "7", "s", "7 s", "-7s", "7s ", "1d", "7s7", "1,5s", "1e3s", "7S", "ms5", "00"]
)
def test_what_is_no_duration_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration") as caught:
        durations.parse_duration_s(text)
    assert f'"{text}"' in str(caught.value)
