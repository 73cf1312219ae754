"""
Tables of reconciler behaviour: `<case>.in.yaml` (`desired`, `seen`) and `<case>.out.yaml` (the actions).

Actions are written for people: an update shows only what it changes, an event is one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.controllers import actions

FOLDER = Path(__file__).resolve().parents[3] / "golden" / "controllers"


class _Loader(yaml.SafeLoader):
    """YAML without dates: a timestamp is a string, as in Kubernetes JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def inputs(controller: str) -> list[Path]:
    """Find the cases of one controller; none at all is a mistake in the tests."""
    found = sorted((FOLDER / controller).glob("*.in.yaml"))
    assert found, f"no cases in {FOLDER / controller}"
    return found


def load(path: Path) -> JsonObject:
    case: JsonObject = yaml.load(path.read_text(), Loader=_Loader)
    return case


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def check(path: Path, case: JsonObject, wanted: actions.Actions, *, update: bool) -> None:
    """Compare actions with the expected output beside the input, or write that."""
    expected = path.with_name(path.name.replace(".in.yaml", ".out.yaml"))
    text = yaml.dump(render(wanted, known_objects(case)), Dumper=_Dumper, sort_keys=True, width=110)
    if update:
        expected.write_text(text)
    assert yaml.safe_load(text) == yaml.safe_load(expected.read_text())


def known_objects(value: Any) -> dict[str, JsonObject]:
    """Collect every object in the input by uid."""
    found: dict[str, JsonObject] = {}
    if isinstance(value, Mapping):
        metadata = value.get("metadata")
        if isinstance(metadata, Mapping) and "uid" in metadata:
            found[metadata["uid"]] = dict(value)
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            found.update(known_objects(each))
    return found


def render(wanted: actions.Actions, known: Mapping[str, JsonObject]) -> list[Any]:
    return [_render(action, known) for action in wanted]


def _render(action: actions.Action, known: Mapping[str, JsonObject]) -> Any:
    match action:
        case actions.Create(resource, obj, event):
            return _told({"create": resource.qualified, "object": obj}, event)
        case actions.Update(resource, obj, subresource, event):
            metadata = obj["metadata"]
            changes = difference(known[metadata["uid"]], obj)
            return _told(
                {"update": _place(resource, metadata["name"], subresource), "changes": changes}, event
            )
        case actions.Patch():
            entry = {"patch": _place(action.resource, action.name, action.subresource), "with": action.patch}
            return entry if action.version else {**entry, "unconditional": True}
        case actions.Delete():
            entry = {"delete": _place(action.resource, action.name, "")}
            if action.propagation:
                entry["propagation"] = action.propagation
            return _told(entry, action.event)
        case actions.Event():
            return {"event": _line(action)}
        case actions.Requeue(after_s):
            return {"requeue_after_s": after_s}


def _told(entry: JsonObject, event: actions.Event | None) -> JsonObject:
    return entry if event is None else {**entry, "event": _line(event)}


def _line(event: actions.Event) -> str:
    return f"{event.type} {event.reason}: {event.message}"


def _place(resource: Resource, name: str, subresource: str) -> str:
    return f"{resource.qualified} {name}{'/' + subresource if subresource else ''}"


def difference(before: Any, after: Any) -> Any:
    """Show what changed as a merge patch would; lists are shown whole."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return after
    changed: dict[str, Any] = {}
    for key in _in_order(before, after):
        if key not in after:
            changed[key] = None
        elif key not in before or before[key] != after[key]:
            changed[key] = difference(before.get(key), after[key])
    return changed


def _in_order(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    return sorted({*before, *after})
