"""
The aggregator: looks after the servers that APIServices register, and passes requests on to them.

Each server is watched by a task of its own: whenever its APIService, its Service or its endpoints change, and every now
and then, it asks whether the server is there and what it serves, and writes the condition `Available`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web

from bookmesh.base.kubernetes import API_SERVICES, ApiError, JsonObject
from bookmesh.kube.api import discovery, metadata, paths, service_network, verbs, writing
from bookmesh.kube.api.aggregation import (
    availability,
    backends,
    discovering,
    local_services,
    proxying,
    registrations,
)
from bookmesh.kube.store import records

_OPTIONS: Final = writing.WriteOptions(manager="kube-apiserver", is_own=True)
_LOOK_AGAIN_S: Final = 30.0
# After a failure the first look comes soon, each later one after twice the time.
_FIRST_RETRY_S: Final = 0.1
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Server:
    """One registered server: how it is called, and what it said last."""

    registration: registrations.Registration
    backend: backends.Backend
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    resources: list[JsonObject] = field(default_factory=list)
    is_current: bool = False
    document_hash: str | None = None
    task: asyncio.Task[None] | None = None


class Aggregator:
    """Follows the APIServices in the store; asks nobody before it runs."""

    def __init__(self, over: verbs.Verbs, *, identity: Path | None = None) -> None:
        """`identity` is the PEM file with the client certificate and key that servers trust."""
        self._verbs, self._identity = over, identity
        self._servers: dict[str, _Server] = {}
        self._retired: list[_Server] = []
        self._changed = asyncio.Event()
        self._told = 0
        self._registrations = registrations.Registrations(over.store, self._take_registrations)
        self._take_registrations()
        over.store.subscribe(self._on_change)

    @property
    def revision(self) -> int:
        """Counts changes of what there is to discover."""
        return self._told + self._registrations.revision

    def outside(self) -> list[discovery.Outside]:
        """Every group version that is registered, with what its server says it serves."""
        return [
            discovery.Outside(
                each.registration.group,
                each.registration.version,
                each.registration.group_priority,
                each.registration.version_priority,
                each.resources,
                each.is_current,
            )
            for each in self._servers.values()
        ]

    def document_hashes(self) -> dict[tuple[str, str], str | None]:
        """The hashes of the servers' OpenAPI documents by group and version; None for one that publishes none."""
        return {
            (each.registration.group, each.registration.version): each.document_hash
            for each in self._servers.values()
        }

    def answering(self, request: web.Request) -> registrations.Registration | None:
        """Who answers for the path of a request; None when that is this server."""
        if not self._servers:
            return None
        path = request.rel_url.raw_path.removeprefix("/openapi/v3")
        try:
            named = paths.parse(path)
        except ApiError:
            return None
        return self._registrations.find(named.group, named.version)

    async def forward(
        self, request: web.Request, registration: registrations.Registration
    ) -> web.StreamResponse:
        """Let the registered server answer."""
        if not self._registrations.is_available(registration):
            return proxying.refusal(503, "service unavailable")
        return await proxying.forward(request, self._servers[registration.name].backend)

    async def run(self, _: web.Application) -> AsyncIterator[None]:
        """Look after the servers while the application runs."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    def _take_registrations(self) -> None:
        wanted = {each.name: each for each in self._registrations.all()}
        for name, server in list(self._servers.items()):
            if wanted.get(name) != server.registration:
                self._retired.append(self._servers.pop(name))
        for name, registration in wanted.items():
            if name not in self._servers:
                backend = backends.Backend(registration, self._verbs.network, self._identity)
                self._servers[name] = _Server(registration, backend)
        self._changed.set()

    def _on_change(self, change: records.Change) -> None:
        """Look at a server again when its Service or the endpoints of that change."""
        stored = change.stored
        if stored.group_resource == service_network.SERVICES:
            name = stored.name
        elif stored.group_resource == service_network.SLICES:
            labels = stored.object["metadata"].get("labels") or {}
            name = labels.get(service_network.SERVICE_LABEL, "")
        else:
            return
        for server in self._servers.values():
            if (server.registration.namespace, server.registration.service) == (stored.namespace, name):
                server.changed.set()

    async def _follow(self) -> None:
        """Keep one task a server."""
        try:
            while True:
                self._changed.clear()
                retired, self._retired = self._retired, []
                for server in self._servers.values():
                    if server.task is None:
                        server.task = asyncio.create_task(self._watch(server))
                        server.task.add_done_callback(_log_failure)
                await _end(retired)
                await self._changed.wait()
        finally:
            await _end([*self._retired, *self._servers.values()])

    async def _watch(self, server: _Server) -> None:
        """Look at one server whenever there is reason to."""
        retry_s = _FIRST_RETRY_S
        while True:
            server.changed.clear()
            finding = await self._look(server)
            self._write(server, finding)
            if finding.reason == availability.FAILED:
                wait_s, retry_s = retry_s, min(2 * retry_s, _LOOK_AGAIN_S)
            else:
                wait_s, retry_s = _LOOK_AGAIN_S, _FIRST_RETRY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await server.changed.wait()

    async def _look(self, server: _Server) -> availability.Finding:
        """Find out whether a server is there, and if so what it serves."""
        called, backend = server.registration, server.backend
        service = self._verbs.store.get(service_network.SERVICES, called.namespace, called.service)
        slices = self._verbs.network.slices_of(called.namespace, called.service)
        finding = availability.find_obstacle(called, service.object if service else None, slices)
        finding = finding or await availability.ask(called, backend)
        resources, document_hash, is_current = server.resources, server.document_hash, False
        if finding.is_available:
            try:
                resources = await discovering.resources_of(called, backend)
                document_hash = await discovering.document_hash(called, backend)
                is_current = True
            except discovering.DiscoveryError as error:
                _log.warning("what %s serves is not known: %s", called.name, error)
        if (resources, document_hash, is_current) != (
            server.resources,
            server.document_hash,
            server.is_current,
        ):
            server.resources, server.document_hash, server.is_current = resources, document_hash, is_current
            self._told += 1
        return finding

    def _write(self, server: _Server, finding: availability.Finding) -> None:
        """Write what was found into the APIService, unless it says so already or is another one by now."""
        name = server.registration.name
        stored = self._verbs.store.get(local_services.PLACE, "", name)
        if stored is None or self._servers.get(name) is not server:
            return
        conditions = (stored.object.get("status") or {}).get("conditions") or []
        found = finding.condition(conditions, metadata.timestamp(self._verbs.clock()))
        if found not in conditions:
            others = [each for each in conditions if each["type"] != found["type"]]
            status = {"status": {"conditions": [*others, found]}}
            self._verbs.patch(
                API_SERVICES, name, "", status, patch_type="merge", subresource="status", options=_OPTIONS
            )


async def _end(servers: list[_Server]) -> None:
    """Look after these no more, and hang up."""
    tasks = [each.task for each in servers if each.task is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for each in servers:
        await each.backend.close()


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("the server of an aggregated API is looked after no more", exc_info=error)
