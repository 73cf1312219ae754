"""Which watch is asked for; what is told over a connection is in `tests/clients/test_watches.py`."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import watching


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", watching.WatchOptions(None, True, False, False, 3600)),
        ("resourceVersion=0", watching.WatchOptions(None, True, False, False, 3600)),
        ("resourceVersion=7&allowWatchBookmarks=true", watching.WatchOptions(7, False, True, False, 3600)),
        (
            "resourceVersion=7&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
            watching.WatchOptions(7, True, False, False, 3600),
        ),
        (
            "allowWatchBookmarks=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
            watching.WatchOptions(None, True, True, True, 3600),
        ),
        (
            "resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan",
            watching.WatchOptions(None, False, False, False, 3600),
        ),
        ("timeoutSeconds=5", watching.WatchOptions(None, True, False, False, 5)),
    ],
)
async def test_options(query: str, expected: watching.WatchOptions) -> None:
    assert watching.parse_options(request_for("GET", f"/api/v1/pods?watch=1&{query}")) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "sendInitialEvents=true",
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            "resourceVersionMatch=NotOlderThan",
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        (
            "sendInitialEvents=true&resourceVersionMatch=Exact",
            'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: '
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, "
            'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
        ),
        (
            "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x",
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
            "resourceVersionMatch is forbidden when continue is provided",
        ),
    ],
)
async def test_options_that_make_no_sense_are_refused(query: str, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        watching.parse_options(request_for("GET", f"/api/v1/pods?watch=1&{query}"))
    assert (refusal.value.code, refusal.value.message) == (422, message)
