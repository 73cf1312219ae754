"""
The control plane as the lab sees it: run it, open and close proxies, ask it how things are.

One loop builds and pushes. It wakes when a mirrored object changes or a proxy opens, makes a snapshot, and translates
it for each proxy that does not have that very snapshot yet. What a single configuration breaks in a pure stage is
logged, shown in `status()`, and leaves the last good configuration in force; anything else ends `run`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bookmesh.base import kubernetes
from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import Client, JsonObject
from bookmesh.base.latest import Latest
from bookmesh.mesh.control import proxies, refusals, sds, statuses
from bookmesh.mesh.control.announcing import Announcer
from bookmesh.mesh.control.building import Builder, Changes
from bookmesh.mesh.control.discovering import Discovery
from bookmesh.mesh.control.fulfilling import Fulfiller
from bookmesh.mesh.control.ingress_addresses import IngressAddresses
from bookmesh.mesh.control.mirroring import Mirror
from bookmesh.mesh.control.pacing import Pace
from bookmesh.mesh.control.proxies import OpenProxy, Push
from bookmesh.mesh.control.statuses import ProxyStatus
from bookmesh.mesh.identity.authority import CertificateAuthority
from bookmesh.mesh.model import kinds, parsing
from bookmesh.mesh.model.gateway_api import kinds as gateway_kinds
from bookmesh.mesh.registry import assembling, workloads
from bookmesh.mesh.snapshot import configs, envoy_filters, ingresses, mesh_config
from bookmesh.mesh.snapshot.proxy import Proxy
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.snapshot.snapshot import MeshSnapshot
from bookmesh.mesh.translate import bootstrap
from bookmesh.mesh.translate.patching import bootstraps
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import server
from bookmesh.mesh.xds.pushing import Feed
from bookmesh.mesh.xds.resources import Encoded
from bookmesh.mesh.xds.turns import Turns

SOCKET_IN_POD: Final = f"/etc/istio/proxy/{server.SOCKET_NAME}"
ROTATION_CHECK_S: Final = 30.0
_WATCHED: Final = (
    kubernetes.SERVICES,
    kubernetes.ENDPOINT_SLICES,
    kubernetes.PODS,
    kubernetes.NAMESPACES,
    kubernetes.SECRETS,
    kubernetes.INGRESSES,
    kubernetes.INGRESS_CLASSES,
    kubernetes.CONFIG_MAPS,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProxyEndpoint:
    """What a pod needs to run its proxy: a socket to mount, and the file to start from (JSON)."""

    socket_path: Path
    bootstrap: JsonObject


class ControlPlane:
    """
    `directory` holds the sockets and is private to us. `propagation_s` are the latest times from a change that was
    seen until every connected proxy had acked what it made of it.
    """

    def __init__(
        self,
        client: Client,
        authority: CertificateAuthority,
        directory: Path,
        settings: MeshSettings,
        *,
        new_builder: Callable[[], Builder] | None = None,
    ) -> None:
        self.propagation_s: deque[float] = deque(maxlen=1000)
        self.error = ""
        self._authority = authority
        self._directory = directory
        self._settings = settings
        self._new_builder = new_builder or (lambda: Builder(settings))
        self._builder = self._new_builder()
        self._pace = Pace()
        self._turns = Turns()
        self._mirrors = {
            resource: Mirror(client, resource, on_change=self._note_change) for resource in _WATCHED
        }
        self._configs = {
            kind.name: Mirror(client, kind.resource, on_change=self._note_change) for kind in kinds.KINDS
        }
        self._gateway_api = {
            kind.name: Mirror(client, kind.resource, on_change=self._note_change)
            for kind in gateway_kinds.KINDS
        }
        self._discovery = Discovery(self._all_mirrors())
        self._latest_settings: Latest[MeshSettings] = Latest()
        self._definitions = Mirror(
            client, kubernetes.CUSTOM_RESOURCE_DEFINITIONS, on_change=self._note_definitions
        )
        self._changed_definitions = self._definitions.follow()
        events_only = {"Ingress": self._mirrors[kubernetes.INGRESSES], **self._gateway_api}
        self._announcer = Announcer(client, self._configs, clock=_current_time, without_status=events_only)
        self._ingress_addresses = IngressAddresses(client)
        self._latest_addresses: Latest[None] = Latest()
        self._fulfiller = Fulfiller(client, self._gateway_api, clock=_current_time)
        self._proxies: dict[str, OpenProxy] = {}
        self._snapshot: MeshSnapshot | None = None
        self._analysis: list[Finding] = []
        self._has_changed = True
        self._unsettled: set[str] = set()
        self._in_flight_s: float | None = None

    async def run(self) -> None:
        """Run until cancelled; whatever fails beyond repair is raised here. Closes every proxy at its end."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for mirror in self._all_mirrors():
                    tasks.create_task(mirror.run())
                tasks.create_task(self._definitions.run())
                tasks.create_task(self._announcer.run())
                tasks.create_task(self._ingress_addresses.run())
                tasks.create_task(self._fulfiller.run())
                tasks.create_task(self._rotate())
                for mirror in self._all_mirrors():
                    await mirror.has_listed.wait()
                self._pace.mark()
                tasks.create_task(self._push_changes())
        finally:
            for uid in list(self._proxies):
                await self.close_proxy(uid)

    async def open_proxy(self, pod: JsonObject, *, directory: Path | None = None) -> ProxyEndpoint:
        """
        Open the socket of an injected pod's proxy, in `directory` (default: one of our own). Opening again replaces.

        Raises:
            ValueError: the pod has no address yet.
            OSError: the socket cannot be made.
        """
        uid = pod["metadata"]["uid"]
        proxy = proxies.build_proxy(pod, domain=self._settings.domain)
        await self.close_proxy(uid)
        if directory is None:
            directory = self._directory / uid
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        certificate = self._authority.issue(namespace=proxy.namespace, service_account=proxy.service_account)
        feed = Feed(proxy.id, on_answer=lambda _feed: self._note_answer(uid))
        feed.publish({type_urls.SECRET: sds.build_secrets(certificate)})
        socket = server.ProxySocket(feed, directory, self._turns)
        await socket.start()
        self._proxies[uid] = OpenProxy(proxy, feed, socket, certificate)
        self._pace.mark()
        start = bootstrap.build(proxy, xds_socket_path=SOCKET_IN_POD, settings=self._settings_in_force())
        patches = self._patches_for(proxy)
        return ProxyEndpoint(
            socket_path=socket.path,
            bootstrap=bootstraps.patch(start, patches, is_router=proxy.type == "router"),
        )

    async def close_proxy(self, uid: str) -> None:
        """Close the socket of the pod with this uid; does nothing when there is none."""
        open_proxy = self._proxies.pop(uid, None)
        self._unsettled.discard(uid)
        if open_proxy is not None:
            await open_proxy.socket.stop()
            if open_proxy.socket.path.parent.parent == self._directory:
                open_proxy.socket.path.parent.rmdir()

    def status(self) -> list[ProxyStatus]:
        """All open proxies, by namespace and name."""
        now, now_s = _current_time(), time.monotonic()
        found = (statuses.build_status(p, now=now, now_s=now_s) for p in self._proxies.values())
        return sorted(found, key=lambda status: (status.namespace, status.name))

    def findings(self) -> list[Finding]:
        """What is wrong now: with the configuration, and with what proxies refuse."""
        return [*self._analysis, *refusals.findings_for(self._proxies.values())]

    def rotate_certificates(self, now: datetime) -> None:
        """Give every proxy whose certificate has lived half its life a new one."""
        for open_proxy in self._proxies.values():
            if open_proxy.certificate.renew_at <= now:
                proxy = open_proxy.proxy
                open_proxy.certificate = self._authority.issue(
                    namespace=proxy.namespace, service_account=proxy.service_account
                )
                secrets = sds.build_secrets(open_proxy.certificate)
                open_proxy.feed.publish({type_urls.SECRET: secrets | open_proxy.credentials})

    def _patches_for(self, proxy: Proxy) -> tuple[envoy_filters.Patch, ...]:
        """From the mirrors: a proxy may open before there is a snapshot."""
        found = [parsing.parse(obj) for obj in self._discovery.objects(self._configs["EnvoyFilter"].resource)]
        ordered = sorted(found, key=configs.merge_order)
        return envoy_filters.patches_for(proxy, ordered, root_namespace=self._settings.root_namespace)

    def _config_map(self) -> JsonObject | None:
        return self._mirrors[kubernetes.CONFIG_MAPS].get(self._settings.root_namespace, mesh_config.NAME)

    def _settings_in_force(self) -> MeshSettings:
        config_map = self._config_map()
        return self._latest_settings.get(
            (config_map,), lambda: mesh_config.read(self._settings, config_map).settings
        )

    def _all_mirrors(self) -> list[Mirror]:
        return [*self._mirrors.values(), *self._configs.values(), *self._gateway_api.values()]

    def _note_change(self) -> None:
        self._has_changed = True
        self._pace.mark()

    def _note_definitions(self) -> None:
        """A kind may just have been installed: whoever waits for it need not wait any longer."""
        specs = (one["spec"] for one in self._changed_definitions.take().values() if one is not None)
        defined = {(spec["group"], spec["names"]["plural"]) for spec in specs}
        for mirror in self._all_mirrors():
            if not mirror.is_served and (mirror.resource.group, mirror.resource.plural) in defined:
                mirror.retry()

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(ROTATION_CHECK_S)
            self.rotate_certificates(_current_time())

    async def _push_changes(self) -> None:
        while True:
            await self._pace.next()
            has_changed, self._has_changed = self._has_changed, False
            try:
                if has_changed:
                    await self._rebuild()
            except Exception as error:
                # One object must not take the mesh down, now and after each restart: the last snapshot stays.
                _log.exception("the configuration could not be built")
                self.error = f"{type(error).__name__}: {error}"
                self._start_over()
            if self._snapshot is not None:
                await self._push(self._snapshot)
            self._pace.done()

    async def _rebuild(self) -> None:
        """Bring the snapshot in line with what is mirrored; it stays the same one when the content does."""
        self._snapshot = await self._builder.build_snapshot(self._take_changes())
        self.error = ""
        self._report_addresses(self._snapshot.settings)
        self._fulfiller.report(self._builder.conversion)

    def _start_over(self) -> None:
        """What a failed build has taken in is lost: begin again from everything that is mirrored."""
        self._builder = self._new_builder()
        self._discovery.note_all()

    def _report_addresses(self, settings: MeshSettings) -> None:
        found = self._discovery.objects(kubernetes.INGRESSES)
        classes = self._mirrors[kubernetes.INGRESS_CLASSES].objects()
        gateway = self._mirrors[kubernetes.SERVICES].get(settings.root_namespace, settings.ingress.service)

        def report() -> None:
            by_name = {each["metadata"]["name"]: each for each in classes}
            served = (each for each in found if ingresses.is_served(each, by_name, settings.ingress))
            self._ingress_addresses.report(served, gateway)

        self._latest_addresses.get((found, classes, gateway, settings), report)

    async def _push(self, snapshot: MeshSnapshot) -> None:
        for uid, open_proxy in list(self._proxies.items()):
            if self._proxies.get(uid) is not open_proxy:  # closed while the others had their turn
                continue
            is_other = self._refresh_labels(open_proxy)
            if is_other or open_proxy.pushed is None or open_proxy.pushed.snapshot is not snapshot:
                has_news = await self._push_to(open_proxy, snapshot, is_other=is_other)
                is_open = self._proxies.get(uid) is open_proxy
                if has_news and is_open and not open_proxy.feed.is_settled():
                    self._unsettled.add(uid)
                    if self._in_flight_s is None:
                        self._in_flight_s = self._pace.marked_s
                await asyncio.sleep(0)
        await self._analyze(snapshot)

    async def _push_to(self, open_proxy: OpenProxy, snapshot: MeshSnapshot, *, is_other: bool) -> bool:
        """
        Publish what a snapshot means for one proxy, which has other labels than before if it `is_other`.

        Returns:
            Whether there was anything new.
        """
        pushed = open_proxy.pushed
        try:
            before = pushed.resources if pushed is not None else None
            same = before if not is_other else None
            resource_set = await self._builder.translate(open_proxy.proxy, snapshot, same)
            publication = await self._builder.encode(resource_set, before)
        except Exception as error:
            _log.exception("translating for %s", open_proxy.proxy.id)
            open_proxy.error = f"{type(error).__name__}: {error}"
            return False
        open_proxy.error = ""
        open_proxy.pushed = Push(resource_set, snapshot)
        has_news = publication.is_news
        credentials = self._credentials_for(open_proxy.proxy, snapshot)
        if credentials != open_proxy.credentials:
            has_news, open_proxy.credentials = True, credentials
            publication.resources[type_urls.SECRET] = sds.build_secrets(open_proxy.certificate) | credentials
        if has_news:
            open_proxy.feed.publish(publication.resources, publication.changed)
        elif open_proxy.accepted is pushed:
            open_proxy.accepted = open_proxy.pushed
        return has_news

    def _credentials_for(self, proxy: Proxy, snapshot: MeshSnapshot) -> dict[str, Encoded]:
        """The secrets of a proxy's namespace: a gateway may need many of them, a sidecar those that rules give it."""
        if proxy.type == "router":
            return sds.build_credentials(snapshot, proxy.namespace)
        names = sds.names_for(proxy, sds.selections(snapshot))
        return sds.build_credentials(snapshot, proxy.namespace, names) if names else {}

    def _refresh_labels(self, open_proxy: OpenProxy) -> bool:
        """Labels of a running pod may change, and what selects it with them. Returns whether they did."""
        proxy = open_proxy.proxy
        pod = self._mirrors[kubernetes.PODS].get(proxy.namespace, proxy.name)
        if pod is None or (pod["metadata"].get("labels") or {}) == proxy.labels:
            return False
        open_proxy.proxy = replace(proxy, workload=workloads.build_workload(pod, ip=proxy.ip))
        return True

    async def _analyze(self, snapshot: MeshSnapshot) -> None:
        """After the push: nobody's traffic waits for it."""
        await asyncio.sleep(0)
        try:
            self._analysis = await self._builder.analyze(snapshot)
        except Exception as error:
            _log.exception("the configuration could not be analyzed")
            self.error = f"{type(error).__name__}: {error}"
        self._announcer.report(self.findings())

    def _note_answer(self, uid: str) -> None:
        """A proxy acked or refused something."""
        open_proxy = self._proxies.get(uid)
        if open_proxy is None:
            return
        if refusals.assign_blame(open_proxy, self._spec_of):
            self._announcer.report(self.findings())
        if open_proxy.feed.is_settled():
            self._unsettled.discard(uid)
            if not open_proxy.blamed:
                open_proxy.accepted = open_proxy.pushed
        if self._in_flight_s is not None and not self._is_anybody_unsettled():
            self.propagation_s.append(time.monotonic() - self._in_flight_s)
            self._in_flight_s = None

    def _spec_of(self, ref: ObjectRef) -> JsonObject:
        mirror = self._configs.get(ref.kind) or self._gateway_api.get(ref.kind)
        found = mirror.get(ref.namespace, ref.name) if mirror else None
        return (found or {}).get("spec") or {}

    def _is_anybody_unsettled(self) -> bool:
        """Whether a proxy has not answered for the latest push; one that is not connected is not waited for."""
        return any(self._proxies[uid].feed.is_connected() for uid in self._unsettled)

    def _take_changes(self) -> Changes:
        seen = self._discovery
        seen.select(self._settings_in_force().discovery_selectors)
        return Changes(
            kubernetes=assembling.Changes(
                services=seen.take(kubernetes.SERVICES),
                endpoint_slices=seen.take(kubernetes.ENDPOINT_SLICES),
                pods=seen.take(kubernetes.PODS),
                namespaces=seen.take(kubernetes.NAMESPACES),
            ),
            configs={
                (kind, *key): obj
                for kind, mirror in (*self._configs.items(), *self._gateway_api.items())
                for key, obj in seen.take(mirror.resource).items()
            },
            secrets=seen.take(kubernetes.SECRETS),
            ingresses=seen.objects(kubernetes.INGRESSES),
            ingress_classes=self._mirrors[kubernetes.INGRESS_CLASSES].objects(),
            config_maps=seen.take(kubernetes.CONFIG_MAPS),
            mesh_config=self._config_map(),
        )


def _current_time() -> datetime:
    return datetime.now(UTC)
