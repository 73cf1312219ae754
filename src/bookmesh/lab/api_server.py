"""The API server of a cluster, put together: its store, its verbs, and the application that is served over TLS."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from bookmesh.base import cluster, kubernetes, pods
from bookmesh.kube.api import (
    admission,
    app,
    auditing,
    authentication,
    authorization,
    default_roles,
    faults,
    inprocess,
    serving,
    verbs,
)
from bookmesh.kube.api.aggregation import local_services
from bookmesh.kube.node import metrics
from bookmesh.kube.schema import builtin_kinds, kinds, schemas
from bookmesh.kube.store import store as stores
from bookmesh.lab import bound_tokens, certificate_signing, fault_dial, keys, paths, status, tokens
from bookmesh.lab import client as lab_client


@dataclass(frozen=True, slots=True)
class Kube:
    """
    The Kubernetes half, before anything runs.

    `is_new`: what is made once is still to be made, since nothing is stored or no start has come to its end.
    """

    store: stores.Store
    verbs: verbs.Verbs
    client: inprocess.InProcessClient
    is_new: bool
    measured: metrics.Metrics

    def client_of(self, manager: str) -> inprocess.InProcessClient:
        """A client whose writes are shown in `metadata.managedFields` as those of `manager`."""
        return inprocess.InProcessClient(self.verbs, manager=manager)


def open_kube(
    lab: paths.LabPaths,
    *,
    hooks: Callable[[stores.Store], Sequence[admission.AdmissionHook]] = lambda _store: (),
    preferred: tuple[str, ...] = (),
    has_node: bool = True,
) -> Kube:
    """
    Open the store of a cluster, with the roles that every cluster has.

    Args:
        hooks: makes what may change or refuse objects on their way in.
        preferred: API groups whose kind is meant by a name that several groups have.
        has_node: whether there is a node that measures what pods use; nobody serves metrics otherwise.
    """
    store = stores.Store.open(lab.store)
    is_new = store.version == 0 or not lab.settings.exists()
    measured = metrics.Metrics()
    sources = {kubernetes.POD_METRICS: measured.pods, kubernetes.NODE_METRICS: measured.nodes}
    over = verbs.Verbs(
        store,
        kinds.Kinds(preferred=preferred, more=kinds.parse_table(builtin_kinds.METRICS) if has_node else ()),
        schemas.Schemas.load(),
        hooks=hooks(store),
        sources=sources if has_node else None,
        signer=certificate_signing.CertificateSigner(keys.Keys(lab.pki)),
    )
    default_roles.ensure(over)
    local_services.LocalServices(over)
    return Kube(store, over, inprocess.InProcessClient(over, is_own=True), is_new, measured)


def build_app(
    kube: Kube,
    *,
    streams: pods.PodStreams,
    issuer: tokens.TokenIssuer,
    inside: status.Inside,
    own: keys.Keys,
    auditor: auditing.Auditor | None = None,
) -> web.Application:
    """Build what answers requests; `inside` answers how the cluster is."""
    dial = faults.Faults()
    return app.build_app(
        kube.verbs,
        streams=streams,
        authenticator=authentication.Authenticator(user_for_token=bound_tokens.reader(issuer, kube.store)),
        authorizer=authorization.Authorizer(kube.store),
        extra_routes={
            lab_client.STATUS_PATH: inside.handle,
            lab_client.FAULTS_PATH: fault_dial.FaultDial(dial).handle,
        },
        issuer=issuer,
        hosts=(cluster.API_SERVER_IP,),
        dial=dial,
        identity=own.front_proxy,
        auditor=auditor,
    )


@contextlib.asynccontextmanager
async def serve(api: web.Application, own: keys.Keys, *listeners: socket.socket) -> AsyncIterator[None]:
    """Serve the API on sockets that listen already; all are closed at the end."""
    context = own.server_context()
    async with contextlib.AsyncExitStack() as stack:
        for listener in listeners:
            running = await serving.start_on(api, listener, tls=context)
            stack.push_async_callback(running.stop)
        yield
