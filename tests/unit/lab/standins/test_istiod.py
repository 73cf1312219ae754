from __future__ import annotations

from typing import Any

from tests.unit.lab.standins import small_servers

from bookmesh.lab import releases
from bookmesh.lab.standins import istiod

PROXIES: list[dict[str, Any]] = [
    {
        "id": "sidecar~10.0.0.1~a-v1.default~default.svc.cluster.local",
        "connected": True,
        "types": {"CDS": "SYNCED", "LDS": "STALE", "RDS": "NOT SENT"},
        "refusals": [{"type": "LDS", "resource": "x", "message": "no"}],
    },
    {"id": "sidecar~10.0.0.2~b-v1.default~x", "connected": False, "types": {}, "refusals": []},
]


async def ask() -> dict[str, Any]:
    return {"proxies": PROXIES}


async def fail() -> dict[str, Any]:
    raise OSError("gone")


async def test_it_is_ready_and_says_where_the_control_plane_is() -> None:
    async with small_servers.client_of(istiod.create(ask)) as client:
        answer = await client.get("/ready")
        assert answer.status == 200
        assert "istioctl proxy-status" in await answer.text()
        answer = await client.get("/version")
        assert (await answer.text()).startswith(f"{releases.ISTIO_TAG}-")


async def test_doubled_slashes_lead_to_the_clean_path() -> None:
    async with small_servers.client_of(istiod.create(ask)) as client:
        assert len(await (await client.get("/debug//syncz")).json()) == 1
        assert (await client.get("/./ready//")).status == 200
        assert (await client.get("/nowhere")).status == 404


async def test_it_lists_the_connected_proxies() -> None:
    async with small_servers.client_of(istiod.create(ask)) as client:
        answer = await client.get("/debug/syncz")
        assert await answer.json() == [
            {
                "cluster_id": "Kubernetes",
                "proxy": "a-v1.default",
                "proxy_type": "sidecar",
                "istio_version": releases.ISTIO_TAG,
            }
        ]


async def test_without_the_lab_there_is_nothing_to_tell() -> None:
    async with small_servers.client_of(istiod.create(fail)) as client:
        assert (await client.get("/debug/syncz")).status == 503
