from __future__ import annotations

from tests.unit.lab.standins import small_servers

from bookmesh.lab.standins import istiod


async def test_it_is_ready_and_says_where_the_control_plane_is() -> None:
    async with small_servers.client_of(istiod.create()) as client:
        answer = await client.get("/ready")
        assert answer.status == 200
        assert "istioctl proxy-status" in await answer.text()
