from __future__ import annotations

from tests.unit.lab.standins import small_servers

from bookmesh.lab.standins import helloworld


async def test_it_says_its_version_and_instance() -> None:
    app = helloworld.create(version="v2", instance="helloworld-v2-x")
    async with small_servers.client_of(app) as client:
        hello, health, other = [await client.get(path) for path in ("/hello", "/health", "/other")]
        assert await hello.text() == "Hello version: v2, instance: helloworld-v2-x\n"
    assert (health.status, other.status) == (200, 404)
