"""Semantic versions."""

from __future__ import annotations

import itertools

import pytest

from bookmesh.kube.schema.expressions import amounts, versions

ORDER = ["1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0", "1.2.3", "1.10.0", "2.0.0"]


def test_order() -> None:
    parsed = [versions.semver(text) for text in ORDER]
    for earlier, later in itertools.pairwise(parsed):
        assert versions.compare(earlier, later) == -1
        assert versions.compare(later, earlier) == 1
    assert versions.compare(versions.semver("1.0.0+a"), versions.semver("1.0.0+b")) == 0


@pytest.mark.parametrize("text", ["1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "", "1.0.0+"])
def test_what_is_no_version(text: str) -> None:
    assert not versions.is_semver(text)
    with pytest.raises(ValueError, match="semver parse error"):
        versions.semver(text)


def test_loosely_written() -> None:
    assert versions.semver("v1", True)["numbers"] == [1, 0, 0]
    assert versions.semver("1.02-rc.1", True) == versions.semver("1.2.0-rc.1")
    assert not versions.is_semver("one", True)


def test_quantities_are_compared_too() -> None:
    assert versions.FUNCTIONS["isLessThan"](amounts.quantity("1"), amounts.quantity("2"))
