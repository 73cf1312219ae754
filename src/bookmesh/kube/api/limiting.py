"""Admission by LimitRanges and ResourceQuotas: the last to see an object, with all that others made of it."""

from __future__ import annotations

from collections.abc import Iterable

from bookmesh.base.kubernetes import PODS, VOLUME_CLAIMS, ApiError, JsonObject, Resource, copy_json
from bookmesh.kube.api.admission import AdmissionRequest, Review
from bookmesh.kube.schema import amounts, limits, quotas
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_RANGES = records.GroupResource("", "limitranges")
_QUOTAS = records.GroupResource("", "resourcequotas")


class LimitRanger:
    """Fills in and checks the sizes of pods and claims."""

    def __init__(self, store: stores.Store) -> None:
        self._store = store

    def review(self, request: AdmissionRequest) -> Review:
        """Raises `ApiError` 403 for a size that a range of the namespace does not allow."""
        ranges = [stored.object for stored in self._store.list(_RANGES, request.namespace)]
        if not ranges:
            return Review(request.object)
        obj = request.object
        if request.resource == PODS and request.operation == "CREATE":
            obj = copy_json(obj)
            limits.fill_pod(obj, ranges)
            _refuse(request, limits.check_pod(obj, ranges))
        elif request.resource == VOLUME_CLAIMS:
            _refuse(request, limits.check_claim(obj, ranges))
        return Review(obj)


class QuotaKeeper:
    """
    Weighs what an object counts against what is left.

    What is used is added up from the store and not read from the quotas' statuses, which follow a moment later.
    """

    def __init__(self, store: stores.Store) -> None:
        self._store = store

    def review(self, request: AdmissionRequest) -> Review:
        """Raises `ApiError` 403 when a quota of the namespace would be exceeded, or cannot be told."""
        for stored in self._store.list(_QUOTAS, request.namespace) if request.namespace else ():
            self._weigh(stored.object, request)
        return Review(request.object)

    def _weigh(self, quota: JsonObject, request: AdmissionRequest) -> None:
        group, plural = request.resource.group, request.resource.plural
        if request.operation == "DELETE" or not quotas.selects(quota, group, plural, request.object):
            return
        name = quota["metadata"]["name"]
        if request.resource == PODS and request.operation == "CREATE":
            missing = quotas.missing_resources(quota, request.object)
            if missing:
                _refuse(request, [f"failed quota: {name}: must specify {missing}"])
        more = quotas.usage_of(group, plural, request.object)
        if request.old is not None and quotas.selects(quota, group, plural, request.old):
            before = quotas.usage_of(group, plural, request.old)
            more = {key: amount - before.get(key, amounts.ZERO) for key, amount in more.items()}
        hard = quotas.hard_of(quota)
        if not any(key in hard and amount.value > 0 for key, amount in more.items()):
            return
        now = quotas.used(quota, self._counted(hard, request.namespace, request.resource))
        if over := quotas.over(hard, now, more):
            _refuse(
                request,
                [
                    f"exceeded quota: {name}, requested: {quotas.listed(over, more)}, "
                    f"used: {quotas.listed(over, now)}, limited: {quotas.listed(over, hard)}"
                ],
            )

    def _counted(
        self, hard: amounts.Amounts, namespace: str, resource: Resource
    ) -> Iterable[tuple[str, str, JsonObject]]:
        """Objects of one resource: those of others count under names that this one does not."""
        place = records.GroupResource(resource.group, resource.plural)
        for stored in self._store.list(place, namespace):
            yield resource.group, resource.plural, stored.object


def _refuse(request: AdmissionRequest, found: list[str]) -> None:
    if not found:
        return
    resource, why = request.resource, found[0] if len(found) == 1 else f"[{', '.join(found)}]"
    raise ApiError(
        403,
        "Forbidden",
        f'{resource.qualified} "{request.name}" is forbidden: {why}',
        details={"name": request.name, "group": resource.group, "kind": resource.plural},
    )
