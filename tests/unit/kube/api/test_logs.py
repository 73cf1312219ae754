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


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z", "at most one of `sinceTime` or `sinceSeconds`"),
        ("sinceSeconds=0", "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", 'PodLogOptions "web" is invalid: limitBytes: Invalid value: 0'),
    ],
)
async def test_questions_that_make_no_sense_are_refused(query: str, message: str) -> None:
    with pytest.raises(ApiError, match=message) as refused:
        logs.parse_options(request_for("GET", f"/x?{query}"), POD)
    assert refused.value.code == 422


@pytest.mark.parametrize("query", ["tailLines=x", "limitBytes=1.5", "sinceTime=yesterday"])
async def test_what_is_no_number_or_time_is_a_bad_request(query: str) -> None:
    with pytest.raises(ApiError, match=query.partition("=")[0]) as refused:
        logs.parse_options(request_for("GET", f"/x?{query}"), POD)
    assert refused.value.code == 400
