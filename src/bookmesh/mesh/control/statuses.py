"""What the control plane tells about its proxies, in the words of `istioctl proxy-status`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.control.proxies import OpenProxy
from bookmesh.mesh.snapshot.proxy import ProxyType
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds.session import SyncState


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal that stands: `type` is CDS, EDS, LDS, RDS or SDS; `objects` are the YAML objects to mend."""

    type: str
    resource: str
    message: str
    at: datetime
    objects: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class ProxyStatus:
    """
    One proxy. `types` maps CDS, EDS, SDS, LDS, RDS to SYNCED (acked), STALE (sent, not accepted) or NOT SENT.

    `error` is why its configuration could not be built, "" when it could; `latencies_s` are the latest times from a
    publish until the proxy had acked all of it.
    """

    id: str
    name: str
    namespace: str
    type: ProxyType
    is_connected: bool
    types: Mapping[str, SyncState]
    refusals: tuple[Refusal, ...]
    latencies_s: tuple[float, ...]
    error: str


def build_status(open_proxy: OpenProxy, *, now: datetime, now_s: float) -> ProxyStatus:
    """`now` and `now_s` are the same moment: wall clock, and the clock of the feed."""
    state = open_proxy.feed.state()
    refusals = tuple(
        Refusal(
            type=type_urls.SHORT_NAMES[key[0]],
            resource=key[1],
            message=nack.message,
            at=now - timedelta(seconds=now_s - nack.time_s),
            objects=open_proxy.blamed_for(key, nack),
        )
        for key, nack in open_proxy.feed.refused().items()
    )
    return ProxyStatus(
        id=open_proxy.proxy.id,
        name=open_proxy.proxy.name,
        namespace=open_proxy.proxy.namespace,
        type=open_proxy.proxy.type,
        is_connected=state.is_connected,
        types={type_urls.SHORT_NAMES[type_url]: sync for type_url, sync in state.types.items()},
        refusals=refusals,
        latencies_s=tuple(open_proxy.feed.latencies_s),
        error=open_proxy.error,
    )
