"""
No request fails while the replicas of a service are restarted, one after the other, under 200 requests a second.

Two restarts a service; with BOOKINFO_RESTARTS=20 it is twenty. `pytest -m slow -s tests/bookinfo/test_restarts.py`
prints what was seen.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.bookinfo import processes, restarting
from tests.local_ports import free_port

RESTARTS = int(os.environ.get("BOOKINFO_RESTARTS", "2"))
REQUESTS_PER_SECOND = 200
PAGES_PER_SECOND = 10
TOO_LATE_S = 0.5
"""When the load itself is sent so late, the balancer hears too late that a replica is leaving."""
SERVICES = ("ratings", "details", "reviews", "productpage")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90 + 15 * RESTARTS)]


def is_whole_page(body: bytes) -> bool:
    return body.count(b'class="glyphicon glyphicon-star"') == 9 and b"Book Details" in body


CHECKS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "ratings": ("/ratings/0", lambda body: b'"Reviewer2":4' in body),
    "details": ("/details/0", lambda body: b"Shakespeare" in body),
    "reviews": ("/reviews/0", lambda body: body.count(b'"color":"red"') == 2),
    "productpage": ("/productpage", is_whole_page),
}


@dataclass
class Shop:
    """One service in two replicas behind a balancer, the others as one process each, all calling each other."""

    balancer: restarting.Balancer
    port: int
    page_port: int

    @classmethod
    def start(cls, stack: ExitStack, directory: Path, restarted: str) -> Shop:
        port = free_port()
        urls = {restarted: f"http://127.0.0.1:{port}"}
        balancer = None
        for name in SERVICES:  # whoever is called comes before its callers
            others = {other: url for other, url in urls.items() if other != name}
            version = "v3" if name == "reviews" else "v1"
            variables = {"SERVICE_VERSION": version, **processes.wiring(**others)}
            if name == restarted:
                balancer = restarting.Balancer(directory, name, variables, port=port)
                stack.callback(balancer.stop)
            else:
                process = processes.Process(directory, name, name, variables)
                stack.callback(process.stop)
                urls[name] = process.url
        assert balancer is not None
        return cls(balancer, port, restarting.address(urls["productpage"])[1])


@pytest.fixture
def start_shop(tmp_path: Path) -> Iterator[Callable[[str], Shop]]:
    with ExitStack() as stack:
        yield lambda restarted: Shop.start(stack, tmp_path, restarted)


@pytest.mark.parametrize("service", SERVICES)
async def test_no_request_fails_while_replicas_restart(
    service: str, start_shop: Callable[[str], Shop]
) -> None:
    shop = start_shop(service)
    loads = [restarting.Load(shop.port, *CHECKS[service], per_second=REQUESTS_PER_SECOND)]
    if service != "productpage":
        loads.append(restarting.Load(shop.page_port, *CHECKS["productpage"], per_second=PAGES_PER_SECOND))
    codes: list[int] = []
    async with shop.balancer.serving(), AsyncExitStack() as stack:
        for load in loads:
            await stack.enter_async_context(load.running())
        while len(codes) < RESTARTS:
            codes.append(await shop.balancer.restart(len(codes) % 2))
    sys.stdout.write(f"\n{service}: {RESTARTS} restarts; " + "; pages: ".join(map(str, loads)) + "\n")
    for load in loads:
        if load.failures and load.latest_s > TOO_LATE_S:
            pytest.skip(f"this machine is too busy to tell who failed: {load}")
        assert not load.failures, str(load)
    assert codes == [0] * RESTARTS
    assert loads[0].answered > RESTARTS * REQUESTS_PER_SECOND, "the load was not kept up"


async def test_the_load_notices_a_replica_that_is_killed(start_shop: Callable[[str], Shop]) -> None:
    """The negative control: without an orderly stop requests are lost, and counted as lost."""
    shop = start_shop("ratings")
    load = restarting.Load(shop.port, *CHECKS["ratings"], per_second=REQUESTS_PER_SECOND)
    async with shop.balancer.serving(), load.running():
        shop.balancer.replicas[0].kill()
        async with asyncio.timeout(20):
            while not load.failures:
                await asyncio.sleep(0.01)
        await shop.balancer.restart(0)
