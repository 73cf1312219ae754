"""All controllers of a cluster, wired to one client and one set of copies."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from bookmesh.base import names
from bookmesh.base.kubernetes import Client
from bookmesh.kube.controllers import (
    autoscaling,
    claim_protection,
    cron_jobs,
    custom_resources,
    daemon_sets,
    deployments,
    disruption_budgets,
    endpoint_slice_mirroring,
    endpoint_slices,
    endpoints,
    ephemeral_volumes,
    event_expiry,
    garbage_collection,
    informers,
    jobs,
    namespaces,
    replica_sets,
    resource_quotas,
    runner,
    scheduling,
    service_accounts,
    stateful_sets,
    taint_eviction,
    token_secrets,
    volume_claims,
    volume_provisioner,
    volumes,
)


def random_suffix() -> str:
    """Pick what makes a generated name unique, as the API server does."""
    return "".join(secrets.choice(names.SAFE_ALPHABET) for _ in range(names.SUFFIX_LENGTH))


def utc_now() -> datetime:
    return datetime.now(UTC)


def build(
    client: Client,
    *,
    ca_pem: str,
    node_name: str,
    now: Callable[[], datetime] = utc_now,
    suffix: Callable[[], str] = random_suffix,
    issue: token_secrets.IssueToken | None = None,
    claims: str = "",
) -> list[runner.Runner]:
    """
    Build every controller; nothing happens before `run`, which needs a running event loop.

    `ca_pem` is the certificate pods shall trust for the API server. `node_name` is the node pods are placed on.
    `claims` is where that node keeps what is in volumes; "" when there is no node.
    `issue` signs what Secrets of service accounts hold; without it they stay as they are written.
    """
    caches = informers.Informers(client)
    catalogue = custom_resources.Catalogue(caches)
    declared: tuple[runner.Controller, ...] = (
        scheduling.controller(node_name=node_name),
        deployments.CONTROLLER,
        replica_sets.CONTROLLER,
        stateful_sets.CONTROLLER,
        daemon_sets.CONTROLLER,
        jobs.CONTROLLER,
        cron_jobs.CONTROLLER,
        disruption_budgets.CONTROLLER,
        resource_quotas.CONTROLLER,
        taint_eviction.CONTROLLER,
        autoscaling.controller(),
        endpoint_slices.CONTROLLER,
        endpoints.CONTROLLER,
        endpoint_slice_mirroring.CONTROLLER,
        volume_claims.CONTROLLER,
        volumes.CONTROLLER,
        volume_provisioner.controller(directory=claims),
        claim_protection.CONTROLLER,
        ephemeral_volumes.CONTROLLER,
        event_expiry.CONTROLLER,
        service_accounts.controller(ca_pem=ca_pem),
        namespaces.controller(served=catalogue.served),
        garbage_collection.controller(served=catalogue.served),
    )
    if issue is not None:
        declared = (*declared, token_secrets.controller(ca_pem=ca_pem, issue=issue))
    return [
        runner.Runner(controller, client=client, caches=caches, suffix=suffix, now=now)
        for controller in declared
    ]


async def run(controllers: Sequence[runner.Runner]) -> None:
    """Run until cancelled."""
    await runner.run(controllers)
