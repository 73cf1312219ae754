"""
No request fails while the replicas of a service are restarted, one after the other, under 200 requests a second.

Two restarts a service by default; `BOOKINFO_RESTARTS=20 pytest tests/bookinfo/test_restarts.py -s` makes it twenty, and
prints what was seen.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.bookinfo import processes, restarting

RESTARTS = int(os.environ.get("BOOKINFO_RESTARTS", "2"))
REQUESTS_PER_SECOND = 200
PAGES_PER_SECOND = 10
SERVICES = ("ratings", "details", "reviews", "productpage")

pytestmark = pytest.mark.timeout(90 + 15 * RESTARTS)


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
    """One service in two replicas behind a balancer's port, the others as one process each, all calling each other."""

    replicas: restarting.Replicas
    port: int
    page_port: int

    @classmethod
    def start(cls, stack: ExitStack, directory: Path, restarted: str) -> Shop:
        with socket.create_server(("127.0.0.1", 0)) as held:
            port: int = held.getsockname()[1]
        urls = {restarted: f"http://127.0.0.1:{port}"}
        replicas = None
        for name in SERVICES:  # whoever is called comes before its callers
            variables = {
                "SERVICE_VERSION": "v3" if name == "reviews" else "v1",
                **processes.wiring(**{other: url for other, url in urls.items() if other != name}),
            }
            if name == restarted:
                replicas = restarting.Replicas(directory, name, variables)
                stack.callback(replicas.stop)
            else:
                process = processes.Process(directory, name, name, variables)
                stack.callback(process.stop)
                urls[name] = process.url
        assert replicas is not None
        return cls(replicas, port, restarting.address(urls["productpage"])[1])


@pytest.fixture
def start_shop(tmp_path: Path) -> Iterator[Callable[[str], Shop]]:
    with ExitStack() as stack:
        yield lambda restarted: Shop.start(stack, tmp_path, restarted)


@pytest.mark.parametrize("service", SERVICES)
async def test_no_request_fails_while_replicas_restart(
    service: str, start_shop: Callable[[str], Shop]
) -> None:
    shop = start_shop(service)
    balancer = restarting.Balancer(shop.replicas, shop.port)
    loads = [restarting.Load(shop.port, *CHECKS[service], per_second=REQUESTS_PER_SECOND)]
    if service != "productpage":
        page_path, is_whole = CHECKS["productpage"]
        loads.append(restarting.Load(shop.page_port, page_path, is_whole, per_second=PAGES_PER_SECOND))
    codes = []
    async with balancer.serving(), AsyncExitStack() as stack:
        for load in loads:
            await stack.enter_async_context(load.running())
        for number in range(RESTARTS):
            codes.append(await shop.replicas.restart(number % 2))
            await balancer.all_ready()
    sys.stdout.write(f"\n{service}: {RESTARTS} restarts; " + "; ".join(map(str, loads)) + "\n")
    for load in loads:
        assert not load.failures, str(load)
    assert codes == [0] * RESTARTS
    assert loads[0].answered > RESTARTS * REQUESTS_PER_SECOND, "the load was not kept up"


async def test_the_load_notices_a_replica_that_is_killed(start_shop: Callable[[str], Shop]) -> None:
    """The negative control: without an orderly stop requests are lost, and counted as lost."""
    shop = start_shop("ratings")
    balancer = restarting.Balancer(shop.replicas, shop.port)
    load = restarting.Load(shop.port, *CHECKS["ratings"], per_second=REQUESTS_PER_SECOND)
    async with balancer.serving(), load.running():
        shop.replicas.running[0].kill()
        await shop.replicas.restart(0)
        await balancer.all_ready()
    assert load.failures, str(load)
