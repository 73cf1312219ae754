"""What the cluster itself warns of in a run's namespace: pods that do not come up, rules that lead nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bookmesh.tasks.kubectl import Kubectl

MOST: Final = 5
_LONGEST: Final = 400
_STARTING: Final = "Startup probe failed"


def warnings(kubectl: Kubectl, namespace: str, *, are_pods_up: bool) -> list[str]:
    """
    Lines about the newest warnings, each once, the newest first; none when the cluster tells none.

    Args:
        are_pods_up: startup probes that failed until then are no news.
    """
    done = kubectl.run("get", "events", "-n", namespace, "--field-selector", "type=Warning", "-o", "json")
    if done.exit or not done.stdout.strip():
        return []
    events = sorted(json.loads(done.stdout)["items"], key=_time, reverse=True)
    if are_pods_up:
        events = [each for each in events if not str(each.get("message", "")).startswith(_STARTING)]
    return list(dict.fromkeys(_lines(events)))[:MOST]


def _lines(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        about = event.get("involvedObject") or {}
        text = " ".join(str(event.get("message") or event.get("reason", "")).split())
        yield f"{about.get('kind', '')} {about.get('name', '')}: {text[:_LONGEST]}"


def _time(event: dict[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
