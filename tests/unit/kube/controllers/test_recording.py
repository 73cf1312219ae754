from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.unit.kube.controllers.fake_client import FakeClient

from bookmesh.base.kubernetes import EVENTS, JsonObject
from bookmesh.kube.controllers import actions, recording

START = datetime(2026, 8, 1, 12, 0, 0, tzinfo=UTC)
POD: JsonObject = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web", "resourceVersion": "7"},
}
SCHEDULED = actions.Event(POD, "Scheduled", "to node")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


async def test_the_same_again_is_counted() -> None:
    client, clock = FakeClient(), Clock()
    recorder = recording.Recorder(client, now=clock)
    for _ in range(3):
        await recorder.tell(SCHEDULED, source="s")
        clock.now += timedelta(seconds=10)
    (event,) = client.all(EVENTS)
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (
        3,
        "2026-08-01T12:00:00Z",
        "2026-08-01T12:00:20Z",
    )


async def test_another_message_is_another_event() -> None:
    client, clock = FakeClient(), Clock()
    recorder = recording.Recorder(client, now=clock)
    await recorder.tell(SCHEDULED, source="s")
    await recorder.tell(actions.Event(POD, "Scheduled", "elsewhere"), source="s")
    assert [event["message"] for event in client.all(EVENTS)] == ["to node", "elsewhere"]


async def test_the_same_much_later_is_another_event() -> None:
    client, clock = FakeClient(), Clock()
    recorder = recording.Recorder(client, now=clock)
    await recorder.tell(SCHEDULED, source="s")
    clock.now += timedelta(seconds=recording.SAME_FOR_S)
    await recorder.tell(SCHEDULED, source="s")
    assert [event["count"] for event in client.all(EVENTS)] == [1, 1]


async def test_an_event_that_was_deleted_is_told_anew() -> None:
    client, clock = FakeClient(), Clock()
    recorder = recording.Recorder(client, now=clock)
    await recorder.tell(SCHEDULED, source="s")
    await client.delete(EVENTS, client.all(EVENTS)[0]["metadata"]["name"], "shop")
    clock.now += timedelta(seconds=1)
    await recorder.tell(SCHEDULED, source="s")
    assert [event["count"] for event in client.all(EVENTS)] == [1]


def test_an_event_about_a_cluster_scoped_object_lives_in_default() -> None:
    node: JsonObject = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node", "uid": "uid-node"}}
    event = recording.build_event(actions.Event(node, "Ready", "ready"), source="s", now=START, serial=1001)
    assert event["metadata"] == {"namespace": "default", "name": "node.18c7aca48c0d8001"}
    assert event["involvedObject"] == {"apiVersion": "v1", "kind": "Node", "name": "node", "uid": "uid-node"}
