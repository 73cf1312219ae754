"""
Discovery: which kinds there are, in the three forms that clients ask for.

Aggregated documents (`apidiscovery.k8s.io` v2 and v2beta1) with an ETag for kubectl and Helm; the legacy lists for
clients that know no other. Built from the served kinds alone; cached until a CRD changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import negotiation
from bookmesh.kube.schema import kinds as kinds_module

AggregatedVersion = Literal["v2", "v2beta1"]
Groups = Mapping[str, Mapping[str, Sequence[kinds_module.Kind]]]

_GROUP: Final = "apidiscovery.k8s.io"


def grouped(kinds: Sequence[kinds_module.Kind]) -> Groups:
    """Sort kinds by group and version; both keep the order of `kinds`, which is that of preference."""
    groups: dict[str, dict[str, list[kinds_module.Kind]]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
    return {
        group: dict(sorted(versions.items(), key=lambda entry: kinds_module.version_preference(entry[0])))
        for group, versions in groups.items()
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
                    "resources": [_aggregated_resource(kind) for kind in kinds],
                    "freshness": "Current",
                }
                for name, kinds in versions.items()
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
    """The legacy `/api/v1` and `/apis/{group}/{version}`; None when there is no such version."""
    kinds = groups.get(group, {}).get(version)
    if kinds is None:
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


def _group(name: str, versions: Mapping[str, Sequence[kinds_module.Kind]]) -> JsonObject:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _subresources(kind: kinds_module.Kind) -> list[kinds_module.Subresource]:
    parts = (kinds_module.subresource(kind, name) for name in kind.subresources)
    return [part for part in parts if part is not None]
