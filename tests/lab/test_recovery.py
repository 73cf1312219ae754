"""`kill -9` loses nothing that was acknowledged, and `down` leaves nothing at all."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab
KINDS = "services,serviceaccounts,deployments,replicasets,pods,configmaps,virtualservices,destinationrules,gateways"


def descendants(pid: int) -> set[int]:
    """Pids of everything below `pid`, as the host sees them."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(stat.parent.name)] = int(text[text.rindex(")") + 2 :].split()[1])
    found, todo = set(), {pid}
    while todo:
        found |= todo
        todo = {child for child, parent in parents.items() if parent in todo} - found
    return found


def objects(lab: labs.Lab) -> set[tuple[str, str, str]]:
    items = lab.get(KINDS, "-A")["items"]
    return {(item["kind"], item["metadata"]["name"], item["metadata"]["uid"]) for item in items}


def lab_pid(lab: labs.Lab) -> int:
    pid: int = json.loads((lab.home / lab.name / "daemon.pid").read_text())["pid"]
    return pid


def answers(page: str) -> bool:
    try:
        return labs.request(page).status == http.client.OK
    except OSError:
        return False


def mounts() -> set[str]:
    return set(Path("/proc/self/mounts").read_text().splitlines())


@pytest.mark.timeout(180)
def test_the_lab_comes_back_after_kill_9_with_the_same_objects_and_answers(
    new_lab: Callable[[], labs.Lab],
) -> None:
    lab = new_lab()
    lab.bookmesh("up", "--bookinfo")
    lab.apply_sample("routes-jason-v2.yaml")
    lab.kubectl("create", "configmap", "last-words", "--from-literal=said=acknowledged")
    before, page = objects(lab), lab.page
    jason = labs.Visitor(page, "jason")
    labs.wait_until(lambda: jason.stars() == "black", what="the route before the crash")

    pid = lab_pid(lab)
    everything = descendants(pid)
    assert len(everything) >= 15, "the lab, the fork server, seven Envoys, six applications"
    os.kill(pid, signal.SIGKILL)
    labs.wait_until(
        lambda: not any(Path(f"/proc/{each}").exists() for each in everything), what="all processes gone"
    )
    assert lab.bookmesh("status", check=False).returncode == 1

    lab.bookmesh("up")
    assert objects(lab) == before
    assert lab.page == page
    lab.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=60s")
    labs.wait_until(lambda: answers(page), what="the page after the crash")
    jason = labs.Visitor(page, "jason")
    labs.wait_until(lambda: jason.stars() == "black", what="the same answer after the crash")
    assert labs.Visitor(page).stars() == "none"


@pytest.mark.timeout(180)
def test_down_leaves_no_process_mount_or_file(new_lab: Callable[[], labs.Lab]) -> None:
    lab = new_lab()
    mounts_before = mounts()
    lab.bookmesh("up", "--bookinfo")
    pid = lab_pid(lab)
    everything = descendants(pid)
    namespace = f"/proc/{pid}/ns/mnt"
    # While the namespace is open here, its number is not given to one that others make meanwhile.
    with open(namespace):
        number = os.readlink(namespace)
        lab.bookmesh("down")
        labs.wait_until(
            lambda: not any(Path(f"/proc/{each}").exists() for each in everything), what="all processes gone"
        )
        left = [link for link in Path("/proc").glob("[0-9]*/ns/mnt") if _target(link) == number]
    assert left == []
    assert not (lab.home / lab.name).exists()
    # Others on this machine mount things, too, and take them away again.
    labs.wait_until(lambda: mounts() <= mounts_before, what="no mount of the lab")
    assert "was not there" in lab.bookmesh("down").stderr


def test_a_lab_whose_directory_was_deleted_ends_by_itself(new_lab: Callable[[], labs.Lab]) -> None:
    lab = new_lab()
    lab.bookmesh("up")
    everything = descendants(lab_pid(lab))
    shutil.rmtree(lab.home / lab.name)
    labs.wait_until(
        lambda: not any(Path(f"/proc/{each}").exists() for each in everything), what="all processes gone"
    )
    assert not (lab.home / lab.name).exists(), "it left nothing again"


def test_ctrl_c_while_the_lab_starts_leaves_no_process_and_the_next_start_works(
    new_lab: Callable[[], labs.Lab],
) -> None:
    lab = new_lab()
    # A shell starts what runs in its background with Ctrl-C ignored, and so these tests, perhaps.
    command = ["env", "--default-signal=INT", labs.BOOKMESH, "up", "--name", lab.name]
    up = subprocess.Popen(command, env=lab.env, stderr=subprocess.PIPE, text=True)
    record = lab.home / lab.name / "daemon.pid"
    labs.wait_until(record.exists, what="a lab process")
    pid = lab_pid(lab)
    up.send_signal(signal.SIGINT)
    assert f'the lab is not up; "bookmesh down --name {lab.name}"' in up.communicate(timeout=20)[1]
    assert up.returncode == 1
    labs.wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="the process gone")
    assert "is up" in lab.bookmesh("up").stderr


def test_what_an_interrupted_first_start_did_not_make_is_made_by_the_next(
    new_lab: Callable[[], labs.Lab],
) -> None:
    lab = new_lab()
    lab.bookmesh("up")
    # As a start leaves it that is killed in its middle: not all objects are stored, and no settings are written.
    lab.kubectl("delete", "service", "istio-ingressgateway", "-n", "istio-system")
    os.kill(lab_pid(lab), signal.SIGKILL)
    (lab.home / lab.name / "lab.json").unlink()
    lab.bookmesh("up")
    assert [gateway["service"] for gateway in lab.status()["gateways"]] == [
        "istio-system/istio-ingressgateway"
    ]


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
