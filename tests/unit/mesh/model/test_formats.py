"""Values of headers with operators, and without."""

from __future__ import annotations

import pytest

from bookmesh.mesh.model import formats


@pytest.mark.parametrize(
    "value", ["", "text", "100%%", "%HOSTNAME%", "a %REQ(x?y):10% b", "%START_TIME(%Y)%", "%%%PROTOCOL%%%"]
)
def test_a_value_that_envoy_reads_stays_as_it_is(value: str) -> None:
    formats.check(value)
    assert formats.literal(value) == value


@pytest.mark.parametrize("value", ["%", "100%", "%a%", "%%%", "%REQ(x%", "%HOSTNAME", "%HOSTNAME:x%", "% %"])
def test_a_percent_sign_on_its_own_is_refused_or_doubled(value: str) -> None:
    with pytest.raises(ValueError, match="begins no operator"):
        formats.check(value)
    assert formats.literal(value) == value.replace("%", "%%")
