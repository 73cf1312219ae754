"""Rules follow the objects: what is applied, and when nothing has to be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from bookmesh.base.kubernetes import NAMESPACES, NETWORK_POLICIES, PODS
from bookmesh.kube.api import inprocess, verbs
from bookmesh.kube.node import policy_rules
from bookmesh.kube.sandbox import nft, nft_transactions
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store as stores


class _Namespace:
    def run(self, function: Callable[[], None]) -> None:
        function()


class _Node:
    namespace = _Namespace()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[nft.Table]:
    tables: list[nft.Table] = []
    monkeypatch.setattr(nft_transactions, "install", tables.append)
    return tables


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_rules_come_with_the_first_policy_and_go_with_the_last(installed: list[nft.Table]) -> None:
    client = inprocess.InProcessClient(
        verbs.Verbs(stores.Store.open(None), kinds.Kinds(), schemas.Schemas.load())
    )
    await client.create(NAMESPACES, {"metadata": {"name": "default"}})
    body = {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    await client.create(PODS, body)
    address = {"status": {"podIP": "10.244.0.2", "phase": "Running"}}
    await client.patch(PODS, "p", "default", address, subresource="status")
    task = asyncio.ensure_future(policy_rules.PolicyRules(client, _Node()).run())  # type: ignore[arg-type]
    policy = {"metadata": {"name": "deny", "namespace": "default"}, "spec": {"podSelector": {}}}
    await client.create(NETWORK_POLICIES, policy)
    await _until(lambda: bool(installed))
    assert [chain.name for chain in installed[-1].chains][:2] == ["pods", "ingress/10.244.0.2"]
    await client.delete(NETWORK_POLICIES, "deny", "default")
    await _until(lambda: not installed[-1].chains)
    assert len(installed) == 2
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
