"""Versions, order, preconditions, and what survives."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bookmesh.kube.store import records
from bookmesh.kube.store.store import Store

PODS = records.GroupResource("", "pods")
SERVICES = records.GroupResource("", "services")


def pod(name: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "default"}, **fields}


@pytest.fixture
def store() -> Store:
    return Store.open(None)


def test_each_write_gets_the_next_version_of_one_counter(store: Store) -> None:
    first = store.create(PODS, "default", "a", pod("a"))
    second = store.create(SERVICES, "default", "a", pod("a"))
    third = store.update(PODS, "default", "a", pod("a"))
    last = store.delete(SERVICES, "default", "a")
    assert [first.version, second.version, third.version, last.version] == [1, 2, 3, 4]
    assert store.version == 4


def test_the_version_is_written_into_a_copy_of_the_metadata(store: Store) -> None:
    given = pod("a", spec={"x": 1})
    stored = store.create(PODS, "default", "a", given)
    assert stored.object["metadata"]["resourceVersion"] == "1"
    assert "resourceVersion" not in given["metadata"]
    assert b'"resourceVersion":"1"' in stored.raw


def test_create_refuses_a_name_that_is_taken(store: Store) -> None:
    existing = store.create(PODS, "default", "a", pod("a"))
    with pytest.raises(records.AlreadyExists) as refusal:
        store.create(PODS, "default", "a", pod("a"))
    assert refusal.value.stored is existing
    assert store.version == 1


def test_the_same_name_is_free_in_other_namespaces_and_resources(store: Store) -> None:
    store.create(PODS, "default", "a", pod("a"))
    store.create(PODS, "other", "a", pod("a"))
    store.create(SERVICES, "default", "a", pod("a"))
    assert len(store.list(PODS)) == 2


def test_update_and_delete_of_nothing_are_refused(store: Store) -> None:
    with pytest.raises(records.Missing):
        store.update(PODS, "default", "a", pod("a"))
    with pytest.raises(records.Missing):
        store.delete(PODS, "default", "a")


def test_a_write_based_on_an_old_version_is_refused_and_changes_nothing(store: Store) -> None:
    store.create(PODS, "default", "a", pod("a"))
    current = store.update(PODS, "default", "a", pod("a", spec={"x": 1}), expected=1)
    with pytest.raises(records.VersionMismatch):
        store.update(PODS, "default", "a", pod("a", spec={"x": 2}), expected=1)
    with pytest.raises(records.VersionMismatch):
        store.delete(PODS, "default", "a", expected=1)
    assert store.get(PODS, "default", "a") is current


def test_delete_returns_the_last_state_with_the_version_of_the_deletion(store: Store) -> None:
    store.create(PODS, "default", "a", pod("a", spec={"x": 1}))
    last = store.delete(PODS, "default", "a", expected=1)
    assert last.object["spec"] == {"x": 1}
    assert last.object["metadata"]["resourceVersion"] == "2"
    assert store.get(PODS, "default", "a") is None


def test_lists_are_in_namespace_and_name_order(store: Store) -> None:
    for namespace, name in [("b", "1"), ("a", "2"), ("a-b", "1"), ("a", "1")]:
        store.create(PODS, namespace, name, pod(name))
    assert [(each.namespace, each.name) for each in store.list(PODS)] == [
        ("a", "1"),
        ("a", "2"),
        ("a-b", "1"),
        ("b", "1"),
    ]
    assert [each.name for each in store.list(PODS, "a")] == ["1", "2"]
    assert store.list(PODS, "none") == []
    assert store.list(SERVICES) == []


def test_lists_follow_creations_and_deletions(store: Store) -> None:
    store.create(PODS, "default", "b", pod("b"))
    assert [each.name for each in store.list(PODS)] == ["b"]
    store.create(PODS, "default", "a", pod("a"))
    store.delete(PODS, "default", "b")
    assert [each.name for each in store.list(PODS)] == ["a"]


def test_lists_stay_in_order_whatever_comes_and_goes(store: Store) -> None:
    dice = random.Random(7)
    there: set[tuple[str, str]] = set()
    for _ in range(400):
        namespace, name = key = (dice.choice(["a", "a-b", "b"]), f"p{dice.randrange(40)}")
        if key in there:
            store.delete(PODS, namespace, name)
            there.remove(key)
        else:
            store.create(PODS, namespace, name, pod(name))
            there.add(key)
        if dice.random() < 0.5:
            assert [(each.namespace, each.name) for each in store.list(PODS)] == sorted(there)
            found = [(each.namespace, each.name) for each in store.list(PODS, "a")]
            assert found == sorted(each for each in there if each[0] == "a")


def test_subscribers_hear_of_each_committed_write_with_both_states(store: Store) -> None:
    heard: list[records.Change] = []
    store.subscribe(heard.append)
    created = store.create(PODS, "default", "a", pod("a"))
    updated = store.update(PODS, "default", "a", pod("a", spec={}))
    deleted = store.delete(PODS, "default", "a")
    assert heard == [
        records.Change("ADDED", created, None),
        records.Change("MODIFIED", updated, created),
        records.Change("DELETED", deleted, updated),
    ]


def test_a_subscriber_that_writes_keeps_the_order_for_the_others(store: Store) -> None:
    heard: list[tuple[str, int]] = []

    def follow(change: records.Change) -> None:
        if change.stored.name == "a":
            store.create(PODS, "default", "b", pod("b"))

    store.subscribe(follow)
    store.subscribe(lambda change: heard.append((change.stored.name, change.stored.version)))
    store.create(PODS, "default", "a", pod("a"))
    assert heard == [("a", 1), ("b", 2)]


def test_an_exception_of_a_subscriber_reaches_the_writer_after_everybody_heard(store: Store) -> None:
    heard: list[str] = []

    def fail(change: records.Change) -> None:
        raise RuntimeError(change.stored.name)

    store.subscribe(fail)
    store.subscribe(lambda change: heard.append(change.stored.name))
    with pytest.raises(RuntimeError, match="a"):
        store.create(PODS, "default", "a", pod("a"))
    assert heard == ["a"]
    assert store.get(PODS, "default", "a") is not None


def test_a_reopened_store_has_the_same_objects_and_goes_on_counting(tmp_path: Path) -> None:
    path = tmp_path / "objects.db"
    store = Store.open(path)
    store.create(PODS, "default", "a", pod("a", spec={"x": "ü"}))
    store.create(PODS, "default", "gone", pod("gone"))
    store.delete(PODS, "default", "gone")
    before = store.get(PODS, "default", "a")
    store.close()

    again = Store.open(path)
    assert again.get(PODS, "default", "a") == before
    assert again.get(PODS, "default", "gone") is None
    assert again.version == 3
    assert again.create(PODS, "default", "b", pod("b")).version == 4
    again.close()


def test_a_watch_from_before_the_store_was_opened_has_expired(tmp_path: Path) -> None:
    path = tmp_path / "objects.db"
    store = Store.open(path)
    store.create(PODS, "default", "a", pod("a"))
    store.close()
    again = Store.open(path)
    with pytest.raises(records.Expired):
        again.watch(PODS, since=0)
    again.watch(PODS, since=1)
    again.close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "objects.db")
    store.create(PODS, "default", "a", pod("a"))
    assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}
    store.close()


def test_a_second_opener_is_turned_away(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "objects.db")
    with pytest.raises(records.StoreUnusable, match="locked"):
        Store.open(tmp_path / "objects.db")
    store.close()


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "objects.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(records.StoreUnusable, match="format 99"):
        Store.open(tmp_path / "objects.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "objects.db").write_bytes(b"something else entirely, and long enough to be looked at" * 20)
    with pytest.raises(records.StoreUnusable):
        Store.open(tmp_path / "objects.db")


def test_a_write_that_cannot_be_committed_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "objects.db")
    heard: list[records.Change] = []
    store.subscribe(heard.append)
    assert store._journal is not None
    monkeypatch.setattr(store._journal, "put", _disk_full)
    with pytest.raises(sqlite3.OperationalError):
        store.create(PODS, "default", "a", pod("a"))
    assert (store.version, store.list(PODS), heard) == (0, [], [])
    store.close()


async def test_what_a_killed_process_left_is_on_disk_before_anybody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run([sys.executable, "-c", _ABANDONED, str(tmp_path / "objects.db")], check=True)
    synced: list[str] = []
    fdatasync = os.fdatasync

    def recorded(descriptor: int) -> None:
        fdatasync(descriptor)
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    monkeypatch.setattr(os, "fdatasync", recorded)
    store = Store.open(tmp_path / "objects.db")
    assert store.version == store.version_on_disk == 1
    assert synced == [str(tmp_path / "objects.db-wal")]
    store.close()


def test_a_file_that_cannot_be_synced_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", _input_output_error)
    with pytest.raises(records.StoreUnusable, match="Input/output error"):
        Store.open(tmp_path / "objects.db")


def _input_output_error(_: int) -> None:
    raise OSError(5, "Input/output error")


_ABANDONED = """
import os, sys
from pathlib import Path
from bookmesh.kube.store.records import GroupResource
from bookmesh.kube.store.store import Store

Store.open(Path(sys.argv[1])).create(GroupResource("", "pods"), "default", "a", {"metadata": {}})
os._exit(0)
"""


def _disk_full(*_: Any, **__: Any) -> None:
    raise sqlite3.OperationalError("database or disk is full")


_WRITER = """
import sys
from pathlib import Path
from bookmesh.kube.store.records import GroupResource
from bookmesh.kube.store.store import Store

store, pods = Store.open(Path(sys.argv[1])), GroupResource("", "pods")
number = 0
while True:
    store.create(pods, "default", f"p{number}", {"metadata": {"name": f"p{number}"}, "data": "x" * 500})
    if number % 3 == 2:
        store.delete(pods, "default", f"p{number - 1}")
    print(number, flush=True)
    number += 1
"""


def test_a_writer_killed_at_any_moment_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "objects.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout.read().splitlines() if line]
    writer.wait()
    writer.stdout.close()

    store = Store.open(path)
    last = acknowledged[-1]
    expected = {f"p{n}" for n in range(last + 1)} - {f"p{n - 1}" for n in range(2, last + 1, 3)}
    # The write under way when the process died may be there, too; it is one creation and perhaps its deletion.
    found = {each.name for each in store.list(PODS)}
    assert expected - {f"p{last}"} <= found
    assert found - expected <= {f"p{last + 1}"}
    assert store.version >= last + 1
    store.close()
