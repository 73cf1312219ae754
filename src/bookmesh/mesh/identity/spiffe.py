"""Names of workloads: `spiffe://cluster.local/ns/default/sa/bookinfo-reviews`."""

from __future__ import annotations

from typing import Final

TRUST_DOMAIN: Final = "cluster.local"


def workload_id(*, namespace: str, service_account: str, trust_domain: str = TRUST_DOMAIN) -> str:
    """
    Build the SPIFFE id of the pods that run as a service account.

    Raises:
        ValueError: a part is empty or would change the path.
    """
    for part in (trust_domain, namespace, service_account):
        if not part or "/" in part:
            raise ValueError(f'"{part}" cannot be a part of a SPIFFE id')
    return f"spiffe://{trust_domain}/ns/{namespace}/sa/{service_account}"
