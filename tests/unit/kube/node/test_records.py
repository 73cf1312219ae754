from __future__ import annotations

import datetime

from tests.unit.kube.node import fakes

from bookmesh.base import pods
from bookmesh.kube.node import records
from bookmesh.kube.node.records import Terminated, Waiting

NOW = datetime.datetime(2026, 5, 9, 12, 0, tzinfo=datetime.UTC)
RAN = {
    "name": "c",
    "restartCount": 2,
    "containerID": "id",
    "state": {"running": {"startedAt": "2026-05-09T11:00:00Z"}},
}
ENDED = {
    "name": "c",
    "restartCount": 1,
    "state": {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-05-09T11:00:00Z"}},
}


def test_a_new_pod_waits_for_its_containers() -> None:
    record = records.initial_record(fakes.pod({"name": "c"}, {"name": "d"}), now=NOW)
    assert [(item.name, item.role, item.state) for item in record.containers] == [
        ("c", "app", Waiting("ContainerCreating")),
        ("d", "app", Waiting("ContainerCreating")),
    ]


def test_with_init_containers_all_wait_for_them() -> None:
    pod = fakes.pod(initContainers=[{"name": "i"}, {"name": "s", "restartPolicy": "Always"}])
    record = records.initial_record(pod, now=NOW)
    assert [(item.name, item.role) for item in record.containers] == [
        ("i", "init"),
        ("s", "sidecar"),
        ("c", "app"),
    ]
    assert {item.state for item in record.containers} == {Waiting("PodInitializing")}


def test_a_container_that_ran_before_the_node_restarted_counts_one_more() -> None:
    pod = fakes.pod()
    pod["status"] = {"startTime": "2026-05-09T10:00:00Z", "containerStatuses": [RAN]}
    record = records.initial_record(pod, now=NOW)
    (item,) = record.app
    assert item.restart_count == 3
    assert item.state == Waiting("ContainerCreating")
    assert item.last == Terminated(
        exit_code=137,
        reason="ContainerStatusUnknown",
        message="The container could not be located when the node restarted",
        started_at=datetime.datetime(2026, 5, 9, 11, 0, tzinfo=datetime.UTC),
        finished_at=NOW,
        container_id="id",
    )
    assert record.start_time == datetime.datetime(2026, 5, 9, 10, 0, tzinfo=datetime.UTC)


def test_what_succeeded_on_failure_only_stays_so() -> None:
    pod = fakes.pod(restartPolicy="OnFailure")
    pod["status"] = {"containerStatuses": [ENDED]}
    (item,) = records.initial_record(pod, now=NOW).app
    assert (item.restart_count, item.has_succeeded, item.last) == (1, True, None)


def test_a_container_that_waited_keeps_its_count() -> None:
    pod = fakes.pod()
    waiting = {"name": "c", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    pod["status"] = {"containerStatuses": [{**waiting, "lastState": ENDED["state"]}]}
    (item,) = records.initial_record(pod, now=NOW).app
    assert item.restart_count == 4
    assert item.last is not None
    assert item.last.exit_code == 0


def test_times_are_utc_and_whole_seconds() -> None:
    moment = datetime.datetime.fromisoformat("2026-05-09T14:00:00.9+02:00")
    assert records.format_time(moment) == "2026-05-09T12:00:00Z"
    assert records.parse_time(None) is None


def test_companions_are_sidecars_among_the_ordinary_containers() -> None:
    pod = fakes.pod({"name": "c"}, {"name": "proxy"}, restartPolicy="OnFailure")
    pod["metadata"]["annotations"] = {pods.COMPANIONS_ANNOTATION: "proxy, other"}
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-05-09T11:00:00Z"}}
    pod["status"] = {"containerStatuses": [{"name": name, "state": ended} for name in ("c", "proxy")]}
    record = records.initial_record(pod, now=NOW)
    assert [(item.name, item.role) for item in record.app] == [("c", "app"), ("proxy", "sidecar")]
    assert ([item.name for item in record.own], [item.name for item in record.companions]) == (
        ["c"],
        ["proxy"],
    )
    # What the pod is there for has been done; the companion starts again all the same.
    assert [type(item.state) for item in record.app] == [Terminated, Waiting]
