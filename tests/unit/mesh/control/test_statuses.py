from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.control import statuses
from bookmesh.mesh.control.proxies import OpenProxy
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds.nacks import Nack
from bookmesh.mesh.xds.pushing import FeedState

NOW = datetime(2026, 1, 2, tzinfo=UTC)
REVIEWS = ObjectRef("VirtualService", "reviews", "default")


def test_a_status_speaks_of_short_types_wall_time_and_objects():
    nack = Nack(type_urls.ROUTES, "missing ]", 90.0, ("9080",))
    key = (type_urls.ROUTES, "9080")
    feed = SimpleNamespace(
        state=lambda: FeedState(True, {type_urls.CLUSTER: "SYNCED", type_urls.ROUTES: "STALE"}),
        refused=lambda: {key: nack},
        latencies_s=[0.002],
    )
    proxy = SimpleNamespace(id="id", name="sleep", namespace="default", type="sidecar")
    open_proxy = OpenProxy(proxy, feed, None, None, blamed={key: (nack, (REVIEWS,))})
    status = statuses.build_status(open_proxy, now=NOW, now_s=100.0)
    assert status.types == {"CDS": "SYNCED", "RDS": "STALE"}
    assert status.latencies_s == (0.002,)
    (refusal,) = status.refusals
    assert (refusal.type, refusal.resource, refusal.objects) == ("RDS", "9080", (REVIEWS,))
    assert refusal.at == NOW - timedelta(seconds=10)
