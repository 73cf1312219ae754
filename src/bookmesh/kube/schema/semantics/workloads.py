"""What makes pods of a template that its selector matches, and how many: Deployments, ReplicaSets, Jobs."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from typing import Any, Final

from bookmesh.base import cron
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.semantics import ephemeral_containers, pods

_LONGEST_CRON_JOB: Final = 52
_PERCENT: Final = re.compile(r"\d+%")


def check_deployment(deployment: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = deployment.get("spec")
    if spec is None:
        return [causes.required("spec")]
    found = [*_check_workload(spec, old, kind="deployment"), *_check_strategy(spec.get("strategy") or {})]
    found += _check_not_negative(spec, ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"))
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds", 0)
    if deadline is not None and deadline <= ready:
        found.append(
            causes.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
        )
    return found


def check_replica_set(replica_set: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = replica_set.get("spec")
    if spec is None:
        return [causes.required("spec")]
    return [*_check_workload(spec, old, kind="replicaset"), *_check_not_negative(spec, ("minReadySeconds",))]


def check_daemon_set(daemon_set: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = daemon_set.get("spec")
    if spec is None:
        return [causes.required("spec")]
    found = [*_check_workload(spec, old, kind="daemonset"), *_check_not_negative(spec, ("minReadySeconds",))]
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    unavailable, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
    for field, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        found += _check_share(f"spec.updateStrategy.rollingUpdate.{field}", value)
    if not found and _is_zero(unavailable) == _is_zero(surge):
        why = "cannot be 0 when maxSurge is 0" if _is_zero(surge) else "may not be set when maxSurge is set"
        found.append(causes.invalid("spec.updateStrategy.rollingUpdate.maxUnavailable", unavailable, why))
    return found


def check_stateful_set(stateful_set: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = stateful_set.get("spec")
    if spec is None:
        return [causes.required("spec")]
    found = [
        *_check_workload(spec, old, kind="statefulset"),
        *_check_not_negative(spec, ("minReadySeconds",)),
    ]
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for field in ("whenDeleted", "whenScaled"):
        if retention.get(field, _RETENTIONS[0]) not in _RETENTIONS:
            where = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
            found.append(causes.not_supported(where, retention[field], sorted(_RETENTIONS)))
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    if rolling.get("partition", 0) < 0:
        where = "spec.updateStrategy.rollingUpdate.partition"
        found.append(causes.invalid(where, rolling["partition"], "must be greater than or equal to 0"))
    if old is not None and _fixed_part(spec) != _fixed_part(old["spec"]):
        found.append(causes.forbidden("spec", _FIXED_STATEFUL_SET))
    return found


_RETENTIONS: Final = ("Retain", "Delete")
_MUTABLE_STATEFUL_SET: Final = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
    "selector",
)
_FIXED_STATEFUL_SET: Final = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def _fixed_part(spec: JsonObject) -> JsonObject:
    """What a StatefulSet keeps for good; a changed selector is told apart."""
    return {key: value for key, value in spec.items() if key not in _MUTABLE_STATEFUL_SET}


def check_cron_job(cron_job: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = cron_job.get("spec")
    if spec is None:
        return [causes.required("spec")]
    found = _check_not_negative(
        spec, ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    )
    schedule = spec.get("schedule") or ""
    if not schedule:
        found.append(causes.required("spec.schedule"))
    else:
        try:
            cron.parse(schedule)
        except ValueError as error:
            found.append(causes.invalid("spec.schedule", schedule, str(error)))
    found += _check_time_zone(spec.get("timeZone"))
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    template = job.get("template") or {}
    where = "spec.jobTemplate.spec.template"
    found += names.check_labels(f"{where}.labels", (template.get("metadata") or {}).get("labels"))
    found += pods.check_spec(template.get("spec") or {}, f"{where}.spec")
    policies = ("OnFailure", "Never")
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy not in policies:
        found.append(causes.not_supported(f"{where}.spec.restartPolicy", policy, policies))
    if len(cron_job["metadata"].get("name") or "") > _LONGEST_CRON_JOB:
        why = f"must be no more than {_LONGEST_CRON_JOB} characters"
        found.append(causes.invalid("metadata.name", cron_job["metadata"]["name"], why))
    return found


def _check_time_zone(zone: str | None) -> list[Cause]:
    if zone is None:
        return []
    if not zone:
        return [causes.invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string")]
    if zone.lower() == "local":
        why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        return [causes.invalid("spec.timeZone", zone, why)]
    try:
        zoneinfo.ZoneInfo(zone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return [causes.invalid("spec.timeZone", zone, f"unknown time zone {zone}")]
    return []


def check_disruption_budget(budget: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = budget.get("spec") or {}
    found: list[Cause] = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        why = "minAvailable and maxUnavailable cannot be both set"
        found.append(causes.invalid("spec", spec, why))
    for field in ("minAvailable", "maxUnavailable"):
        if spec.get(field) is not None:
            found += _check_share(f"spec.{field}", spec[field])
    if spec.get("selector"):
        found += check_selector("spec.selector", spec["selector"])
    return found


def check_job(job: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = job.get("spec")
    if spec is None:
        return [causes.required("spec")]
    found = _check_template(spec, kind="job", restart_policies=("OnFailure", "Never"))
    found += _check_not_negative(
        spec,
        ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"),
    )
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        found.append(causes.required("spec.completions", "when completion mode is Indexed"))
    if old is not None:
        found += _check_job_update(spec, old["spec"])
    return found


def _check_job_update(spec: JsonObject, before: JsonObject) -> list[Cause]:
    fields = ["selector", "completionMode"]
    if not before.get("suspend"):
        fields.append("template")
    if spec.get("completionMode") != "Indexed":
        fields.append("completions")
    return [
        causes.invalid(f"spec.{field}", spec.get(field), "field is immutable")
        for field in fields
        if spec.get(field) != before.get(field)
    ]


def _check_workload(spec: JsonObject, old: JsonObject | None, *, kind: str) -> list[Cause]:
    found = [
        *_check_not_negative(spec, ("replicas",)),
        *_check_template(spec, kind=kind, restart_policies=("Always",)),
    ]
    if old is not None and old["spec"].get("selector") != spec.get("selector"):
        found.append(causes.invalid("spec.selector", spec.get("selector") or {}, "field is immutable"))
    return found


def _check_template(spec: JsonObject, *, kind: str, restart_policies: tuple[str, ...]) -> list[Cause]:
    found: list[Cause] = []
    selector: JsonObject = spec.get("selector") or {}
    template: JsonObject = spec.get("template") or {}
    labels: dict[str, str] = (template.get("metadata") or {}).get("labels") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        found.append(causes.invalid("spec.selector", selector, f"empty selector is invalid for {kind}"))
    else:
        selector_causes = check_selector("spec.selector", selector)
        found += selector_causes
        if not selector_causes and not selector_matches(selector, labels):
            why = "`selector` does not match template `labels`"
            found.append(causes.invalid("spec.template.metadata.labels", labels, why))
    found += names.check_labels("spec.template.labels", labels)
    pod: JsonObject = template.get("spec") or {}
    found += pods.check_spec(_with_claims(pod, spec), "spec.template.spec")
    why = "ephemeral containers not allowed in pod template"
    found += ephemeral_containers.check_none(pod, "spec.template.spec", why)
    policy = pod.get("restartPolicy", "Always")
    if policy not in restart_policies:
        found.append(causes.not_supported("spec.template.spec.restartPolicy", policy, restart_policies))
    return found


def _with_claims(pod: JsonObject, spec: JsonObject) -> JsonObject:
    """The pod's specification with a volume for each claim template of a StatefulSet, as its pods will have it."""
    claims = [(each.get("metadata") or {}).get("name", "") for each in spec.get("volumeClaimTemplates") or []]
    if not claims:
        return pod
    own = [volume for volume in pod.get("volumes") or [] if volume.get("name") not in claims]
    return {**pod, "volumes": [*own, *({"name": claim, "emptyDir": {}} for claim in claims)]}


def _check_not_negative(spec: JsonObject, fields: tuple[str, ...]) -> list[Cause]:
    return [
        causes.invalid(f"spec.{field}", spec[field], "must be greater than or equal to 0")
        for field in fields
        if (spec.get(field) or 0) < 0
    ]


def _check_strategy(strategy: JsonObject) -> list[Cause]:
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate":
        why = "may not be specified when strategy `type` is 'Recreate'"
        return [causes.forbidden("spec.strategy.rollingUpdate", why)] if rolling is not None else []
    found: list[Cause] = []
    rolling = rolling or {}
    for field in ("maxUnavailable", "maxSurge"):
        found += _check_share(f"spec.strategy.rollingUpdate.{field}", rolling.get(field, 0))
    if not found and _is_zero(rolling.get("maxUnavailable", 0)) and _is_zero(rolling.get("maxSurge", 0)):
        where = "spec.strategy.rollingUpdate.maxUnavailable"
        found.append(
            causes.invalid(where, rolling.get("maxUnavailable", 0), "may not be 0 when `maxSurge` is 0")
        )
    return found


def _check_share(where: str, value: int | str) -> list[Cause]:
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            why = "a valid percent string must be a numeric string followed by an ending '%'"
            return [
                causes.invalid(
                    where, value, f"{why} (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
                )
            ]
        if where.endswith("maxUnavailable") and int(value[:-1]) > 100:
            return [causes.invalid(where, value, "must not be greater than 100%")]
    elif value < 0:
        return [causes.invalid(where, value, "must be greater than or equal to 0")]
    return []


def _is_zero(value: int | str) -> bool:
    return int(value[:-1]) == 0 if isinstance(value, str) else value == 0


def check_selector(where: str, selector: JsonObject) -> list[Cause]:
    """Check the syntax of a label selector."""
    found = names.check_labels(f"{where}.matchLabels", selector.get("matchLabels"))
    for index, expression in enumerate(selector.get("matchExpressions") or []):
        path = f"{where}.matchExpressions[{index}]"
        found += names.check(f"{path}.key", expression.get("key", ""), names.qualified_name)
        for number, value in enumerate(expression.get("values") or []):
            found += names.check(f"{path}.values[{number}]", value, names.label_value)
        needs_values = expression.get("operator") in ("In", "NotIn")
        if needs_values and not expression.get("values"):
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            found.append(causes.required(f"{path}.values", why))
        elif not needs_values and expression.get("values"):
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found.append(causes.forbidden(f"{path}.values", why))
    return found


def selector_matches(selector: JsonObject, labels: Mapping[str, str]) -> bool:
    """Say whether a valid label selector selects `labels`."""
    wanted: dict[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_expression_matches(each, labels) for each in selector.get("matchExpressions") or [])


def _expression_matches(expression: dict[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator = expression["key"], expression["operator"]
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    is_listed = labels.get(key) in expression["values"]
    return is_listed if operator == "In" else not is_listed
