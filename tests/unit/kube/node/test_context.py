from __future__ import annotations

import asyncio
import datetime
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import CONFIG_MAPS, SECRETS, ApiError, JsonObject, Resource
from bookmesh.kube.node.context import PodContext

NOW = datetime.datetime(2026, 5, 9, 12, 0, tzinfo=datetime.UTC)


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


def context_of(bench: fakes.Bench, pod: JsonObject | None = None) -> PodContext:
    return PodContext(bench.machinery, pod or fakes.pod(), now=NOW)


def test_the_grace_of_a_deletion_wins(bench: fakes.Bench) -> None:
    context = context_of(bench)
    assert context.grace_s == 30
    context.pod["spec"]["terminationGracePeriodSeconds"] = 5
    assert context.grace_s == 5
    context.pod["metadata"]["deletionGracePeriodSeconds"] = 0
    assert context.grace_s == 0


def test_the_addressed_pod_is_a_copy_with_addresses(bench: fakes.Bench) -> None:
    context = context_of(bench)
    assert "podIP" not in context.addressed_pod()["status"]
    context.record.ip = "10.244.0.2"
    status = context.addressed_pod()["status"]
    assert (status["podIP"], status["hostIP"]) == ("10.244.0.2", "127.97.0.254")
    assert context.pod["status"] == {"phase": "Pending"}


def test_a_pod_without_network_has_no_namespace(bench: fakes.Bench) -> None:
    with pytest.raises(RuntimeError, match=r"pod web_default\(uid-of-web\) has no network namespace"):
        assert context_of(bench).open_netns


def test_files_are_named_after_the_pod(bench: fakes.Bench) -> None:
    path = context_of(bench).log_path("c", 3).relative_to(bench.settings.directory)
    assert str(path) == "pods/default_web_uid-of-web/c/3.log"
    assert bench.settings.volume_directory("u").relative_to(bench.settings.directory) == Path("volumes/u")


async def test_a_change_before_the_wait_counts(bench: fakes.Bench) -> None:
    context = context_of(bench)
    version = context.sources_version
    context.note_sources_change()
    await asyncio.wait_for(context.sources_change_after(version), 20)
    wait = asyncio.create_task(context.sources_change_after(context.sources_version))
    await asyncio.sleep(0)
    assert not wait.done()
    context.note_sources_change()
    await asyncio.wait_for(wait, 20)


async def test_sources_are_read_and_missing_ones_left_out(bench: fakes.Bench) -> None:
    metadata = {"name": "there", "namespace": "default"}
    await bench.client.create(CONFIG_MAPS, {"metadata": metadata, "data": {"a": "1"}})
    await bench.client.create(SECRETS, {"metadata": metadata, "data": {"b": "Mg=="}})
    container = {
        "name": "c",
        "envFrom": [
            {"configMapRef": {"name": "there"}},
            {"configMapRef": {"name": "missing"}},
            {"secretRef": {"name": "there"}},
        ],
    }
    found = await bench.machinery.read_sources(fakes.pod(container))
    assert list(found.config_maps) == ["there"]
    assert found.secret_data("there") == {"b": b"2"}


async def test_an_api_that_fails_is_not_an_absent_object(
    bench: fakes.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_resource: Resource, _name: str, _namespace: str = "") -> JsonObject:
        raise ApiError(500, "InternalError", "down")

    monkeypatch.setattr(bench.client, "get", fail)
    with pytest.raises(ApiError, match="down"):
        await bench.machinery.read_sources(
            fakes.pod({"name": "c", "envFrom": [{"configMapRef": {"name": "m"}}]})
        )
