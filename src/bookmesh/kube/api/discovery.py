"""
Discovery: which kinds there are, in the three forms that clients ask for.

Aggregated documents (`apidiscovery.k8s.io` v2 and v2beta1) with an ETag for kubectl and Helm; the legacy lists for
clients that know no other. Built from the served kinds alone; cached until a CRD changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import negotiation
from bookmesh.kube.schema import group_priorities
from bookmesh.kube.schema import kinds as kinds_module


@dataclass(frozen=True, slots=True)
class Outside:
    """
    A group version that another server answers for.

    `resources` are as in an aggregated document; `is_current` is False when they could not be asked for last time.
    """

    group: str
    version: str
    group_priority: int
    version_priority: int
    resources: Sequence[JsonObject]
    is_current: bool


AggregatedVersion = Literal["v2", "v2beta1"]
Groups = Mapping[str, Mapping[str, Sequence[kinds_module.Kind] | Outside]]

_GROUP: Final = "apidiscovery.k8s.io"


def grouped(kinds: Sequence[kinds_module.Kind], outside: Iterable[Outside] = ()) -> Groups:
    """
    Sort what is served by group and version, the preferred ones first.

    Groups and versions of one priority keep the order of `kinds`, or go by name. What is `outside` takes the place of
    kinds of the same group version.
    """
    groups: dict[str, dict[str, list[kinds_module.Kind] | Outside]] = {}
    priorities: dict[tuple[str, str], tuple[int, int]] = {}
    for kind in kinds:
        served = groups.setdefault(kind.group, {}).setdefault(kind.version, [])
        if isinstance(served, list):
            served.append(kind)
        priorities[kind.group, kind.version] = group_priorities.priority_of(kind)
    for each in outside:
        groups.setdefault(each.group, {})[each.version] = each
        priorities[each.group, each.version] = (each.group_priority, each.version_priority)

    def group_key(group: str) -> int:
        return -max(priorities[group, version][0] for version in groups[group])

    def version_key(group: str, version: str) -> tuple[int, tuple[int, int, int, str]]:
        return -priorities[group, version][1], kinds_module.version_preference(version)

    return {
        group: {
            version: groups[group][version]
            for version in sorted(groups[group], key=lambda version: version_key(group, version))
        }
        for group in sorted(groups, key=group_key)
    }


def wanted_version(accept: str) -> AggregatedVersion | None:
    """The aggregated form that the client would rather have than the legacy one; None for the latter."""
    for clause in negotiation.parse_accept(accept):
        parameters = clause.parameters
        if parameters.get("as") == "APIGroupDiscoveryList" and parameters.get("g") == _GROUP:
            if parameters.get("v") == "v2":
                return "v2"
            if parameters.get("v") == "v2beta1":
                return "v2beta1"
        elif clause.media_type == "application/json" and "as" not in parameters:
            return None
    return None


def content_type(version: AggregatedVersion) -> str:
    """The media type of an aggregated document; clients recognise it by this."""
    return f"application/json;g={_GROUP};v={version};as=APIGroupDiscoveryList"


def aggregated(groups: Groups, version: AggregatedVersion, *, is_core: bool) -> tuple[bytes, str]:
    """
    Build the document for `/api` (the core group) or `/apis` (all others).

    Returns:
        The JSON and its ETag.
    """
    items = []
    for group, versions in groups.items():
        if (group == "") == is_core:
            listed = [
                {
                    "version": name,
                    "resources": _aggregated_resources(served),
                    "freshness": "Stale"
                    if isinstance(served, Outside) and not served.is_current
                    else "Current",
                }
                for name, served in versions.items()
            ]
            fields: JsonObject = {"name": group} if group else {}
            fields["creationTimestamp"] = None
            items.append({"metadata": fields, "versions": listed})
    document = {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"{_GROUP}/{version}",
        "metadata": {},
        "items": items,
    }
    body = orjson.dumps(document)
    return body, f'"{hashlib.sha256(body).hexdigest()[:32].upper()}"'


def _aggregated_resources(served: Sequence[kinds_module.Kind] | Outside) -> list[JsonObject]:
    if isinstance(served, Outside):
        return list(served.resources)
    return [_aggregated_resource(kind) for kind in served]


def _aggregated_resource(kind: kinds_module.Kind) -> JsonObject:
    resource: JsonObject = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        resource["shortNames"] = list(kind.short_names)
    if kind.categories:
        resource["categories"] = list(kind.categories)
    parts = []
    for part in _subresources(kind):
        group, version, name = part.body
        parts.append(
            {
                "subresource": part.name,
                "responseKind": {"group": group, "version": version, "kind": name},
                "verbs": list(part.verbs),
            }
        )
    if parts:
        resource["subresources"] = parts
    return resource


def core_versions(server_address: str) -> JsonObject:
    """The legacy `/api`."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def group_list(groups: Groups) -> JsonObject:
    """The legacy `/apis`."""
    listed = [_group(name, versions) for name, versions in groups.items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def group_document(groups: Groups, group: str) -> JsonObject | None:
    """The legacy `/apis/{group}`; None when there is no such group."""
    if group not in groups:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, groups[group])}


def resource_list(groups: Groups, group: str, version: str) -> JsonObject | None:
    """The legacy `/api/v1` and `/apis/{group}/{version}`; None when this server has no such version."""
    kinds = groups.get(group, {}).get(version)
    if kinds is None or isinstance(kinds, Outside):
        return None
    resources: list[JsonObject] = []
    for kind in kinds:
        resources.append(_legacy_resource(kind))
        for part in _subresources(kind):
            part_group, part_version, part_kind = part.body
            entry: JsonObject = {
                "name": f"{kind.plural}/{part.name}",
                "singularName": "",
                "namespaced": kind.namespaced,
                "kind": part_kind,
                "verbs": list(part.verbs),
            }
            if (part_group, part_version) != (group, version):
                entry |= {"group": part_group, "version": part_version}
            resources.append(entry)
    group_version = f"{group}/{version}" if group else version
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }


def _legacy_resource(kind: kinds_module.Kind) -> JsonObject:
    resource: JsonObject = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        resource["shortNames"] = list(kind.short_names)
    if kind.categories:
        resource["categories"] = list(kind.categories)
    return resource


def _group(name: str, versions: Iterable[str]) -> JsonObject:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _subresources(kind: kinds_module.Kind) -> list[kinds_module.Subresource]:
    parts = (kinds_module.subresource(kind, name) for name in kind.subresources)
    return [part for part in parts if part is not None]
