"""Queries of log requests."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.base.pods import LogOptions
from bookmesh.kube.api import logs

POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "main"}]}}


async def test_everything_that_can_be_asked_for() -> None:
    query = "follow=true&previous=1&timestamps=true&tailLines=3&sinceSeconds=5&limitBytes=7"
    found = logs.parse_options(request_for("GET", f"/x?{query}"), POD)
    expected = LogOptions(
        "main", follow=True, previous=True, timestamps=True, tail_lines=3, since_s=5, limit_bytes=7
    )
    assert found == expected
    assert logs.parse_options(request_for("GET", "/x"), POD) == LogOptions("main")


async def test_two_starts_are_refused() -> None:
    with pytest.raises(ApiError, match="at most one of"):
        logs.parse_options(request_for("GET", "/x?sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z"), POD)
