"""Containers: identity, ports, environment, mounts, resources."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names, quantities
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.semantics import probes

_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_INIT_ONLY_WITH_RESTART: Final = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")


def check_all(spec: JsonObject, where: str, volumes: set[str]) -> list[Cause]:
    """Check init containers and containers of a pod specification at path `where`; `volumes` are the names it has."""
    found: list[Cause] = []
    seen: set[str] = set()
    if not spec.get("containers"):
        found.append(causes.required(f"{where}.containers"))
    for field in ("initContainers", "containers"):
        port_names: set[str] = set()
        for index, container in enumerate(spec.get(field) or []):
            path = f"{where}.{field}[{index}]"
            found += _check_identity(container, path, seen)
            found += _check_restart(container, path, is_init=field == "initContainers")
            found += _check_ports(container, path, port_names)
            found += _check_environment(container, path)
            found += _check_mounts(container, path, volumes)
            found += _check_resources(container, path)
            found += probes.check(container, path)
    return found


def _check_identity(container: JsonObject, path: str, seen: set[str]) -> list[Cause]:
    found: list[Cause] = []
    name = container.get("name") or ""
    if not name:
        found.append(causes.required(f"{path}.name"))
    elif name in seen:
        found.append(causes.duplicate(f"{path}.name", name))
    else:
        found += names.check(f"{path}.name", name, names.dns_label)
    seen.add(name)
    image = container.get("image") or ""
    if not image:
        found.append(causes.required(f"{path}.image"))
    elif image != image.strip():
        found.append(causes.invalid(f"{path}.image", image, "must not have leading or trailing whitespace"))
    return found


def _check_restart(container: JsonObject, path: str, *, is_init: bool) -> list[Cause]:
    policy = container.get("restartPolicy")
    if not is_init:
        return (
            [causes.forbidden(f"{path}.restartPolicy", "may not be set for non-init containers")]
            if policy
            else []
        )
    if policy is not None and policy != "Always":
        return [causes.not_supported(f"{path}.restartPolicy", policy, ["Always"])]
    if policy == "Always":
        return []
    why = "may not be set for init containers without restartPolicy=Always"
    return [
        causes.forbidden(f"{path}.{name}", why) for name in _INIT_ONLY_WITH_RESTART if container.get(name)
    ]


def _check_ports(container: JsonObject, path: str, port_names: set[str]) -> list[Cause]:
    found: list[Cause] = []
    for index, port in enumerate(container.get("ports") or []):
        where = f"{path}.ports[{index}]"
        name = port.get("name")
        if name:
            found += names.check(f"{where}.name", name, names.port_name)
            if name in port_names:
                found.append(causes.duplicate(f"{where}.name", name))
            port_names.add(name)
        if not port.get("containerPort"):
            found.append(causes.required(f"{where}.containerPort"))
        else:
            found += names.check_port(f"{where}.containerPort", port["containerPort"])
        if port.get("hostPort"):
            found += names.check_port(f"{where}.hostPort", port["hostPort"])
    return found


def _check_environment(container: JsonObject, path: str) -> list[Cause]:
    found: list[Cause] = []
    for index, variable in enumerate(container.get("env") or []):
        where = f"{path}.env[{index}]"
        if not variable.get("name"):
            found.append(causes.required(f"{where}.name"))
        else:
            found += names.check(f"{where}.name", variable["name"], names.environment_name)
        source = variable.get("valueFrom")
        if source is None:
            continue
        given = [name for name in _SOURCES if source.get(name) is not None]
        if variable.get("value"):
            found.append(
                causes.invalid(f"{where}.valueFrom", "", "may not be specified when `value` is not empty")
            )
        if not given:
            why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
            found.append(causes.invalid(f"{where}.valueFrom", "", why))
        elif len(given) > 1:
            why = "may not have more than one field specified at a time"
            found.append(causes.invalid(f"{where}.valueFrom", "", why))
    for index, source in enumerate(container.get("envFrom") or []):
        given = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
        if len(given) != 1:
            why = "must specify one of: `configMapRef` or `secretRef`"
            found.append(causes.invalid(f"{path}.envFrom[{index}]", "", why))
    return found


def _check_mounts(container: JsonObject, path: str, volumes: set[str]) -> list[Cause]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or []):
        where = f"{path}.volumeMounts[{index}]"
        name, target = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            found.append(causes.required(f"{where}.name"))
        elif name not in volumes:
            found.append(causes.missing(f"{where}.name", name))
        if not target:
            found.append(causes.required(f"{where}.mountPath"))
        elif target in seen:
            found.append(causes.invalid(f"{where}.mountPath", target, "must be unique"))
        seen.add(target)
        for field in ("subPath", "subPathExpr"):
            sub_path = mount.get(field) or ""
            if sub_path.startswith("/"):
                found.append(causes.invalid(f"{where}.{field}", sub_path, "must be a relative path"))
            elif ".." in sub_path.split("/"):
                found.append(causes.invalid(f"{where}.{field}", sub_path, "must not contain '..'"))
    return found


def _check_resources(container: JsonObject, path: str) -> list[Cause]:
    found: list[Cause] = []
    resources: dict[str, Any] = container.get("resources") or {}
    limits = {name: quantities.parse(value) for name, value in (resources.get("limits") or {}).items()}
    requests = {name: quantities.parse(value) for name, value in (resources.get("requests") or {}).items()}
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if amount < 0:
                where = f"{path}.resources.{field}[{name}]"
                why = "must be greater than or equal to 0"
                found.append(causes.invalid(where, resources[field][name], why))
    for name, amount in requests.items():
        if amount > limits.get(name, Decimal("Infinity")):
            given = resources["requests"][name]
            why = f"must be less than or equal to {name} limit of {resources['limits'][name]}"
            found.append(causes.invalid(f"{path}.resources.requests", given, why))
    return found
