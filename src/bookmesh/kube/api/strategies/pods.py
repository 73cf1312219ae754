"""
Pods: they start Pending, run as a service account, and end gracefully.

A new pod gets the volume with its service account's token (unless it or the account says no), the tolerations every
pod has for a node that is not ready, and its quality-of-service class. Deleting one that runs on a node leaves the
object in place with a `deletionTimestamp`; the node removes it with grace 0 when the processes are gone.
"""

from __future__ import annotations

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import metadata, statuses
from bookmesh.kube.api.strategies import base
from bookmesh.kube.schema import causes, pod_resources
from bookmesh.kube.schema.semantics import pods as pod_rules
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path, not a secret
_TOKEN_LIFE_S = 3607
_DEFAULT_GRACE_S = 30
_PRIORITY_CLASSES = records.GroupResource("scheduling.k8s.io", "priorityclasses")
_RUNTIME_CLASSES = records.GroupResource("node.k8s.io", "runtimeclasses")
_SYSTEM_PRIORITIES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}
_SERVICE_ACCOUNTS = records.GroupResource("", "serviceaccounts")
_NODE_TROUBLE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_TOLERATED_S = 300
_OF_THE_SERVER = (
    *("ephemeralContainers", "nodeName", "preemptionPolicy", "priority", "serviceAccount"),
    "serviceAccountName",
)


class PodStrategy(base.Strategy):
    """Reads service accounts from the store."""

    def __init__(self, store: stores.Store) -> None:
        self._store = store

    def prepare_create(self, obj: JsonObject) -> None:
        spec = obj.setdefault("spec", {})
        self._bind_service_account(obj)
        self._set_priority(obj)
        self._apply_runtime_class(obj)
        _tolerate_node_trouble(spec)
        obj["status"] = {"phase": "Pending"}

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        # A client that sends what it once wrote (apply, replace) means the pod, not the parts the server added.
        spec, before = obj.setdefault("spec", {}), old["spec"]
        for key in _OF_THE_SERVER:
            if key in before:
                spec.setdefault(key, before[key])

    def allocate(self, obj: JsonObject, old: JsonObject | None) -> None:
        """The class depends on what admission made of the containers, so it is set last."""
        if old is None:
            obj["status"]["qosClass"] = pod_resources.quality_of_service(obj["spec"])
        elif (obj["spec"].get("ephemeralContainers") or []) != (old["spec"].get("ephemeralContainers") or []):
            fixed = causes.forbidden("spec", pod_rules.FIXED)
            raise statuses.invalid(group="", kind="Pod", name=obj["metadata"]["name"], causes=[fixed])

    def grace_s(self, obj: JsonObject, wanted: int | None) -> int:
        phase = (obj.get("status") or {}).get("phase")
        if not obj["spec"].get("nodeName") or phase in {"Succeeded", "Failed"}:
            return 0
        if wanted is not None:
            return max(wanted, 0)
        own: int | None = obj["spec"].get("terminationGracePeriodSeconds")
        return _DEFAULT_GRACE_S if own is None else own

    def _set_priority(self, obj: JsonObject) -> None:
        """The class that is named counts, else the one that is the default for all, whatever the pod itself says."""
        spec, name = obj["spec"], obj["spec"].get("priorityClassName")
        known = {stored.name: stored.object for stored in self._store.list(_PRIORITY_CLASSES)}
        if name and name not in known and name not in _SYSTEM_PRIORITIES:
            why = f"no PriorityClass with name {name} was found"
            raise _forbidden(obj, why)
        default = max(
            (each for each in known.values() if each.get("globalDefault")),
            key=lambda each: (-each["value"], each["metadata"]["name"]),
            default={},
        )
        chosen = known.get(name or "", {} if name else default)
        if chosen and not name:
            spec["priorityClassName"] = chosen["metadata"]["name"]
        spec["priority"] = chosen.get("value", _SYSTEM_PRIORITIES.get(name or "", 0))
        spec["preemptionPolicy"] = chosen.get("preemptionPolicy", "PreemptLowerPriority")

    def _apply_runtime_class(self, obj: JsonObject) -> None:
        """What a runtime costs, and where it is, is a matter of the class and not of the pod."""
        spec, name = obj["spec"], obj["spec"].get("runtimeClassName")
        stored = self._store.get(_RUNTIME_CLASSES, "", name) if name else None
        if name and stored is None:
            raise _forbidden(obj, f'pod rejected: RuntimeClass "{name}" not found')
        chosen = stored.object if stored else {}
        overhead = (chosen.get("overhead") or {}).get("podFixed")
        if spec.get("overhead") and not overhead:
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise _forbidden(obj, why)
        if overhead and spec.setdefault("overhead", overhead) != overhead:
            raise _forbidden(
                obj, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            )
        scheduling = chosen.get("scheduling") or {}
        own: dict[str, str] = spec.get("nodeSelector") or {}
        for key, value in (scheduling.get("nodeSelector") or {}).items():
            if own.get(key, value) != value:
                why = f"conflict: runtimeClass.Scheduling.NodeSelector[{key}] = {value}; pod.Spec.NodeSelector[{key}]"
                raise _forbidden(obj, f"{why} = {own[key]}")
            spec["nodeSelector"] = own = {**own, key: value}
        known = spec.get("tolerations") or []
        more = [each for each in scheduling.get("tolerations") or [] if each not in known]
        if more:
            spec["tolerations"] = [*known, *more]

    def _bind_service_account(self, obj: JsonObject) -> None:
        spec, namespace = obj["spec"], obj["metadata"].get("namespace", "")
        name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        stored = self._store.get(_SERVICE_ACCOUNTS, namespace, name)
        if stored is None and name != "default":
            why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
            raise _forbidden(obj, why)
        account = stored.object if stored else {}
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = account["imagePullSecrets"]
        wanted = spec.get("automountServiceAccountToken")
        if wanted is None:
            wanted = account.get("automountServiceAccountToken")
        if wanted is not False:
            _mount_token(spec)


def _forbidden(pod: JsonObject, why: str) -> ApiError:
    name = pod["metadata"].get("name", "")
    message = f'pods "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, details={"name": name, "kind": "pods"})


def _mount_token(spec: JsonObject) -> None:
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    without = [container for container in containers if not _mounts_token(container)]
    if not without:
        return
    name = f"kube-api-access-{metadata.random_suffix()}"
    for container in without:
        mount = {"name": name, "readOnly": True, "mountPath": TOKEN_DIRECTORY}
        container["volumeMounts"] = [*(container.get("volumeMounts") or []), mount]
    sources: list[JsonObject] = [
        {"serviceAccountToken": {"expirationSeconds": _TOKEN_LIFE_S, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {
            "downwardAPI": {
                "items": [
                    {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                ]
            }
        },
    ]
    volume = {"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}
    spec["volumes"] = [*(spec.get("volumes") or []), volume]


def _mounts_token(container: JsonObject) -> bool:
    return any(mount.get("mountPath") == TOKEN_DIRECTORY for mount in container.get("volumeMounts") or [])


def _tolerate_node_trouble(spec: JsonObject) -> None:
    tolerations: list[JsonObject] = list(spec.get("tolerations") or [])
    for key in _NODE_TROUBLE:
        if not any(
            toleration.get("key") in {key, None} and toleration.get("effect") in {"NoExecute", None}
            for toleration in tolerations
        ):
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _TOLERATED_S}
            )
    spec["tolerations"] = tolerations
