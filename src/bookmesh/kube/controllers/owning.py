"""From a changed object to the keys of those that own it, or would adopt it."""

from __future__ import annotations

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.controllers import informers, owners, runner, selectors


def keys_of_owners(
    change: informers.Change, caches: informers.Informers, *, resource: Resource, kind: str
) -> list[runner.Key]:
    """
    Name the objects of `kind` that control the changed one, now or before; for an orphan, all that select it.

    Returns:
        Keys in order of name, each once; empty when it is none of theirs.
    """
    states = [change.object] if change.previous is None else [change.object, change.previous]
    namespace = change.object["metadata"]["namespace"]
    names: set[str] = set()
    for state in states:
        reference = owners.controller_reference(state)
        if reference is not None and reference["kind"] == kind:
            names.add(reference["name"])
        elif reference is None:
            names.update(
                each["metadata"]["name"]
                for each in caches.of(resource).in_namespace(namespace)
                if selectors.matches(each["spec"]["selector"], selectors.labels_of(state))
            )
    return [runner.Key(resource, namespace, name) for name in sorted(names)]
