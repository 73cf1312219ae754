"""A cluster of any extent before anything of it runs: its port, its keys, and a store with what every cluster has."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from bookmesh.base import cluster as facts
from bookmesh.kube.api import admission
from bookmesh.kube.store import store as stores
from bookmesh.lab import api_server, credentials, hosting, keys, paths, plans, seeding, tokens


@dataclass(frozen=True, slots=True)
class Cluster:
    """
    What the parts of a cluster are made of, and share.

    Attributes:
        began: when it was opened, in seconds since 1970.
        listener: where the API server is reached from the host; it listens already.
    """

    lab: paths.LabPaths
    plan: plans.Plan
    began: float
    listener: socket.socket
    own: keys.Keys
    issuer: tokens.TokenIssuer
    kube: api_server.Kube

    def run_controllers(self) -> Coroutine[Any, Any, object]:
        """What lets Deployments make pods, and all that; runs until cancelled."""
        from bookmesh.kube.controllers import all as controllers  # an API server alone does without

        built = controllers.build(
            self.kube.client_of("kube-controller-manager"),
            ca_pem=self.own.authority.read_text(),
            node_name=seeding.NODE_NAME,
            issue=self.issuer.issue_lasting,
            claims=str(self.lab.claims) if self.plan.extent.has_node else "",
        )
        return controllers.run(built)


async def open_cluster(
    lab: paths.LabPaths,
    plan: plans.Plan,
    *,
    hooks: Callable[[stores.Store], Sequence[admission.AdmissionHook]] = lambda _store: (),
    preferred: tuple[str, ...] = (),
) -> Cluster:
    """
    Open or make a cluster. `hooks` and `preferred` are those of `api_server.open_kube`.

    Raises:
        BookmeshError: BM0102, the port is in use.
    """
    began = time.time()
    listener = hosting.listen_for(lab.name, plan.preferred_port, is_wanted=plan.port is not None)
    own = credentials.ensure(lab.pki, addresses=("127.0.0.1", facts.API_SERVER_IP))
    has_node = plan.extent.has_node
    kube = api_server.open_kube(lab, hooks=hooks, preferred=preferred, has_node=has_node)
    await seeding.seed_cluster(kube.client, has_node=has_node)
    await seeding.seed_aggregation(kube.client, own)
    if kube.is_new and plan.extent.has_controllers:
        await seeding.seed_classes(kube.client)
    if kube.is_new and has_node:
        await seeding.seed_services(kube.client)
    return Cluster(lab, plan, began, listener, own, tokens.TokenIssuer(own.token_key), kube)
