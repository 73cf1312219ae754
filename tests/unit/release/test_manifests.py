from __future__ import annotations

import pytest

from bookmesh.release import manifests

MANIFEST = """
kind: Service
metadata: {name: b}
---
kind: Pod
metadata: {name: test, annotations: {helm.sh/hook: test}}
---
---
kind: Deployment
metadata: {name: c}
"""


def test_objects_come_in_order_and_hooks_are_left_out() -> None:
    assert [one["metadata"]["name"] for one in manifests.parse(MANIFEST)] == ["c", "b"]
    assert manifests.parse("") == []


@pytest.mark.parametrize(
    ("states", "back"),
    [
        (["deployed"], None),
        (["superseded", "failed"], None),
        (["superseded", "deployed", "pending-upgrade"], 2),
        (["superseded", "failed", "pending-rollback"], 1),
        (["pending-install"], 0),
    ],
)
def test_the_way_back_leads_to_what_was_in_good_order(states: list[str], back: int | None) -> None:
    history = [{"revision": str(number), "status": state} for number, state in enumerate(states, start=1)]
    assert manifests.way_back(list(reversed(history))) == back
