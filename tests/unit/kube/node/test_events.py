from __future__ import annotations

from pathlib import Path

from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import EVENTS
from bookmesh.kube.node import events


async def test_an_event_names_its_pod_and_container(tmp_path: Path) -> None:
    bench = fakes.Bench(tmp_path)
    pod = fakes.pod(initContainers=[{"name": "i"}])
    bench.machinery.events.warning(pod, "Failed", "Error: no", container="i")
    await bench.events()
    (event,) = (await bench.client.list(EVENTS)).items
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "default",
        "name": "web",
        "uid": "uid-of-web",
        "fieldPath": "spec.initContainers{i}",
    }
    assert (event["type"], event["reason"], event["message"], event["count"]) == (
        "Warning",
        "Failed",
        "Error: no",
        1,
    )
    assert event["source"] == {"component": "kubelet", "host": "bookmesh"}
    assert event["metadata"]["name"].startswith("web.")


async def test_events_are_listed_in_the_order_they_happened(tmp_path: Path) -> None:
    bench = fakes.Bench(tmp_path)
    for reason in ("Pulled", "Created", "Started", "Killing"):
        bench.machinery.events.normal(fakes.pod(), reason, "x")
    assert [reason for reason, _ in await bench.events()] == ["Pulled", "Created", "Started", "Killing"]


async def test_the_same_again_counts(tmp_path: Path) -> None:
    bench = fakes.Bench(tmp_path)
    for message in ("same", "same", "other", "same"):
        bench.machinery.events.normal(fakes.pod(), "Pulled", message)
    await bench.events()
    counted = {event["message"]: event["count"] for event in (await bench.client.list(EVENTS)).items}
    assert counted == {"same": 3, "other": 1}


async def test_an_event_that_was_deleted_is_written_anew(tmp_path: Path) -> None:
    bench = fakes.Bench(tmp_path)
    bench.machinery.events.normal(fakes.pod(), "Pulled", "same")
    await bench.events()
    bench.client.objects.clear()
    bench.machinery.events.normal(fakes.pod(), "Pulled", "same")
    await bench.events()
    (event,) = (await bench.client.list(EVENTS)).items
    assert event["count"] == 1


def test_field_paths_name_the_list_a_container_is_in() -> None:
    pod = fakes.pod({"name": "c"}, initContainers=[{"name": "i"}])
    assert events.field_path_of(pod, "i") == "spec.initContainers{i}"
    assert events.field_path_of(pod, "c") == "spec.containers{c}"
