"""What the server of an aggregated API serves: its kinds, and where its OpenAPI document is."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import discovery, service_network
from bookmesh.kube.api.aggregation import backends, registrations

_ANSWER_S: Final = 5.0
_LARGEST: Final = 16 << 20


class DiscoveryError(Exception):
    """The server does not say what it serves."""


async def resources_of(
    registration: registrations.Registration, backend: backends.Backend
) -> list[JsonObject]:
    """
    Ask for the resources of a group version, as they stand in aggregated documents.

    A server that has no such document is asked for its legacy list.

    Raises:
        DiscoveryError: it has neither.
    """
    accept = f"{discovery.content_type('v2')},application/json"
    code, kind, body = await _get(backend, "/apis", accept)
    if code == 200 and "as=APIGroupDiscoveryList" in kind and "v=v2" in kind.split(";"):
        return _resources_in(_parsed(body), registration)
    code, _, body = await _get(backend, registration.path, "application/json")
    if code != 200:
        raise DiscoveryError(f"failed to download legacy discovery for {registration.path}: {code}")
    return from_legacy(_parsed(body), registration)


async def document_hash(registration: registrations.Registration, backend: backends.Backend) -> str | None:
    """The hash under which the server publishes its OpenAPI v3 document; None when it publishes none."""
    try:
        code, _, body = await _get(backend, "/openapi/v3", "application/json")
        paths = _parsed(body).get("paths") if code == 200 else None
    except DiscoveryError:
        return None
    entry = (paths or {}).get(registration.path.removeprefix("/")) or {}
    url = entry.get("serverRelativeURL")
    if not isinstance(url, str):
        return None
    return url.partition("hash=")[2].partition("&")[0]


def from_legacy(listed: JsonObject, registration: registrations.Registration) -> list[JsonObject]:
    """Turn an `APIResourceList` into resources of an aggregated document, subresources below their resource."""
    found: dict[str, JsonObject] = {}
    for entry in listed.get("resources") or []:
        name, _, part = entry["name"].partition("/")
        response_kind = {
            "group": entry.get("group") or registration.group,
            "version": entry.get("version") or registration.version,
            "kind": entry.get("kind", ""),
        }
        scope = "Namespaced" if entry.get("namespaced") else "Cluster"
        if part:
            # A real server shows a resource of which there are only subresources without verbs.
            parent = found.setdefault(name, {"resource": name, "scope": scope, "verbs": []})
            below = {
                "subresource": part,
                "responseKind": response_kind,
                "verbs": entry.get("verbs") or [],
            }
            parent.setdefault("subresources", []).append(below)
            continue
        resource = found.setdefault(name, {"resource": name})
        resource |= {
            "responseKind": response_kind,
            "scope": scope,
            "singularResource": entry.get("singularName", ""),
            "verbs": entry.get("verbs") or [],
        }
        for field in ("shortNames", "categories"):
            if entry.get(field):
                resource[field] = entry[field]
    return list(found.values())


def _resources_in(document: JsonObject, registration: registrations.Registration) -> list[JsonObject]:
    for group in document.get("items") or []:
        if (group.get("metadata") or {}).get("name") == registration.group:
            for version in group.get("versions") or []:
                if version.get("version") == registration.version:
                    return list(version.get("resources") or [])
    return []


async def _get(backend: backends.Backend, path: str, accept: str) -> tuple[int, str, bytes]:
    """Status, media type and body of an answer; raises `DiscoveryError` when there is none."""
    try:
        async with (
            asyncio.timeout(_ANSWER_S),
            backend.request("GET", path, user=backends.AGGREGATOR, headers={"Accept": accept}) as answer,
        ):
            kind = answer.headers.get("Content-Type", "")
            return answer.status, kind, await service_network.read_body(answer, _LARGEST)
    except (TimeoutError, backends.UnreachableError, service_network.NoEndpointError) as error:
        raise DiscoveryError(f"{path}: {error}") from error


def _parsed(body: bytes) -> JsonObject:
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DiscoveryError(f"the answer is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise DiscoveryError("the answer is no object")
    return document
