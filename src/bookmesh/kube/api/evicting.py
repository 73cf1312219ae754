"""The subresource `pods/{name}/eviction`: a deletion that PodDisruptionBudgets may refuse."""

from __future__ import annotations

import dataclasses
from typing import Final

from bookmesh.base.kubernetes import PODS, ApiError, JsonObject, Resource
from bookmesh.kube.api import authentication, deleting, metadata, verbs, writing
from bookmesh.kube.schema.semantics import workloads

BUDGETS: Final = Resource("policy", "v1", "poddisruptionbudgets")
_RETRY_S: Final = 10


async def evict(
    over: verbs.Verbs,
    pod: JsonObject,
    body: JsonObject,
    *,
    is_dry_run: bool,
    user: authentication.User = authentication.SERVER,
) -> None:
    """
    Delete a pod if every budget that selects it allows.

    Raises:
        ApiError: 429 when a budget does not allow it now, 500 when more than one budget selects the pod.
    """
    options = deleting.parse_options({**(body.get("deleteOptions") or {})})
    is_dry_run = is_dry_run or options.dry_run
    fields = pod["metadata"]
    if _counts(pod):
        budgets = [
            stored.object
            for stored in over.list(BUDGETS, fields["namespace"])
            if workloads.selector_matches(
                stored.object["spec"].get("selector") or {}, fields.get("labels") or {}
            )
            and stored.object["spec"].get("selector") is not None
        ]
        if len(budgets) > 1:
            text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise ApiError(500, "InternalError", text)
        if budgets:
            await _take(over, budgets[0], pod, is_dry_run=is_dry_run)
    if not is_dry_run:
        options = dataclasses.replace(options, user=user)
        await over.request_delete(PODS, fields["name"], fields["namespace"], options=options)


def _counts(pod: JsonObject) -> bool:
    """Whether losing the pod is a disruption: it has not ended, is not on its way out, and has been placed."""
    phase = (pod.get("status") or {}).get("phase", "Pending")
    return phase not in ("Succeeded", "Failed", "Pending") and "deletionTimestamp" not in pod["metadata"]


async def _take(over: verbs.Verbs, budget: JsonObject, pod: JsonObject, *, is_dry_run: bool) -> None:
    status, name = budget.get("status") or {}, budget["metadata"]["name"]
    policy = budget["spec"].get("unhealthyPodEvictionPolicy", "IfHealthyBudget")
    healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    if not _is_ready(pod) and (policy == "AlwaysAllow" or (healthy >= wanted > 0)):
        return  # it is not part of what the budget keeps
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", _RETRY_S)
    if status.get("disruptionsAllowed", 0) <= 0:
        raise _refused(
            f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently"
        )
    if is_dry_run:
        return
    change = {
        "disruptionsAllowed": status["disruptionsAllowed"] - 1,
        "disruptedPods": {pod["metadata"]["name"]: metadata.timestamp(over.clock())},
    }
    await over.request_patch(
        BUDGETS,
        name,
        budget["metadata"]["namespace"],
        {"metadata": {"resourceVersion": budget["metadata"]["resourceVersion"]}, "status": change},
        patch_type="merge",
        subresource="status",
        options=writing.WriteOptions(is_own=True),
    )


def _is_ready(pod: JsonObject) -> bool:
    entries = (pod.get("status") or {}).get("conditions") or []
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in entries)


def _refused(cause: str, retry_s: int = 0) -> ApiError:
    """429; a client that is told when to try again does so by itself, which a refusal for good must not ask for."""
    details: JsonObject = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    headers = {}
    if retry_s:
        details["retryAfterSeconds"] = retry_s
        headers["Retry-After"] = str(retry_s)
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return ApiError(429, "TooManyRequests", message, details=details, headers=headers)
