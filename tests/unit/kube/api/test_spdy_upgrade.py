"""Agreeing on SPDY and on what is spoken over it."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import remotes, spdy_upgrade

HANDSHAKE = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"], "v4.channel.k8s.io"),
        (["v3.channel.k8s.io, v2.channel.k8s.io"], "v3.channel.k8s.io"),
        ([], "channel.k8s.io"),
    ],
)
def test_the_first_offer_that_is_known_here(offered: list[str], chosen: str) -> None:
    assert spdy_upgrade.choose(offered, remotes.SPDY_PROTOCOLS) == chosen


def test_without_a_shared_protocol_the_client_learns_what_there_is() -> None:
    with pytest.raises(ApiError, match=r"client supports \['v9'\]") as refused:
        spdy_upgrade.choose(["v9"], ("portforward.k8s.io",))
    assert refused.value.code == 403
    assert refused.value.headers == {"X-Accepted-Stream-Protocol-Versions": "portforward.k8s.io"}


async def test_who_wants_spdy() -> None:
    assert spdy_upgrade.is_wanted(request_for("POST", "/x", headers=HANDSHAKE))
    assert not spdy_upgrade.is_wanted(request_for("GET", "/x", headers={"Upgrade": "websocket"}))
    with pytest.raises(ApiError, match="does not say Upgrade"):
        await spdy_upgrade.accept(request_for("POST", "/x", headers={"Upgrade": "SPDY/3.1"}), ("x",))


async def test_a_fast_client_waits_until_its_bytes_are_taken() -> None:
    request = request_for("POST", "/x", headers=HANDSHAKE)
    connection = spdy_upgrade.Connection(request, "x")
    for _ in range(20):
        assert connection.feed_data(b"y" * 100_000) == (False, b"")
    request.protocol.pause_reading.assert_called_once()  # type: ignore[attr-defined]
    chunks = aiter(connection)
    for _ in range(20):
        assert await anext(chunks) == b"y" * 100_000
    request.protocol.resume_reading.assert_called_once()  # type: ignore[attr-defined]
    waiting = asyncio.ensure_future(anext(chunks, None))
    await asyncio.sleep(0)
    connection.feed_eof()
    assert await waiting is None
