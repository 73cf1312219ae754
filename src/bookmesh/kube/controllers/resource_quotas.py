"""Shows in the status of each ResourceQuota what it limits and how much of that is used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, owners, runner
from bookmesh.kube.controllers.resources import QUOTAS
from bookmesh.kube.schema import quotas

NAME: Final = "resourcequota-controller"


@dataclass(frozen=True, slots=True)
class Seen:
    """Every object of the namespace with the group and plural of its resource."""

    objects: tuple[tuple[str, str, JsonObject], ...]


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Write the status of one quota."""
    if owners.is_being_deleted(desired):
        return ()
    hard = (desired.get("spec") or {}).get("hard") or {}
    used = {name: str(amount) for name, amount in quotas.used(desired, seen.objects).items()}
    return actions.patch_status(QUOTAS, desired, {"hard": hard, "used": used})


async def _observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(
        tuple(
            (informer.resource.group, informer.resource.plural, obj)
            for informer in view.caches.all()
            for obj in informer.in_namespace(key.namespace)
        )
    )


def _quotas_of(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    """Quotas count what comes and goes, and pods by their phase; most changes of others do not matter to them."""
    namespace = change.object["metadata"].get("namespace", "")
    quotas_there = caches.of(QUOTAS).in_namespace(namespace) if namespace else ()
    if not quotas_there:
        return ()
    group, plural = source.group, source.plural
    before, after = change.previous, change.object
    if (
        change.type == "MODIFIED"
        and before is not None
        and quotas.usage_of(group, plural, before) == quotas.usage_of(group, plural, after)
        and not (source == QUOTAS and before.get("spec") != after.get("spec"))
    ):
        return ()
    return [runner.key_of(QUOTAS, quota) for quota in quotas_there]


CONTROLLER: Final = runner.Controller(
    name=NAME,
    watches=(runner.own_keys(QUOTAS), runner.Watch(None, _quotas_of)),
    observe=_observe,
    reconcile=reconcile,
)
