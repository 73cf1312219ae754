"""
`bookmesh release apply` as real processes: killed at each step, and two at once.

Each round asks for the next version of the contract. Its run is killed when it has said a certain thing; the same
command again finishes what it began. All the while no caller may be there that meets an older contract.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.lab import labs

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

CHARTS = Path(__file__).parents[2] / "charts"
NAMESPACE = "interrupted"
STEPS = (
    # what a run says last before it is killed
    "→ reviews",
    "… reviews",
    "✓ reviews",
    "→ productpage",
    "… productpage",
    "✓ productpage",
)


@pytest.fixture(scope="module")
def lab(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    """The namespace is made by the first run."""
    yield bookinfo
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def write(path: Path, contract: int, *, slowest: str = "") -> Path:
    """
    Releases where the product page needs what reviews will only serve after its own upgrade.

    The pods of `slowest` are waited for, even where Helm itself takes its time.
    """

    def probes(release: str) -> dict[str, object]:
        delay_s = 8 if release == slowest else 2
        probe = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1}
        return {"readiness": probe | {"initialDelaySeconds": delay_s}}

    track = {"provides": {"reviews-api": str(contract)}}
    reviews = {"versions": {"v1": track, "v2": None, "v3": None}, "pod": {"probes": probes("reviews")}}
    need = f">={contract}"
    page = {
        "requires": [{"release": "reviews", "contract": "reviews-api", "range": need}],
        "pod": {"annotations": {"needs": str(contract)}, "probes": probes("productpage")},
    }
    releases = [
        {"name": name, "namespace": NAMESPACE, "chart": str(CHARTS / name), "values": values}
        for name, values in (("productpage", page), ("reviews", reviews))
    ]
    path.write_text(yaml.safe_dump({"releases": releases}))
    return path


def start(lab: labs.Lab, file: Path) -> subprocess.Popen[str]:
    command = [labs.BOOKMESH, "release", "apply", "--name", lab.name, str(file), "--timeout", "60"]
    return subprocess.Popen(
        list(map(str, command)), env=lab.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def kill_after(lab: labs.Lab, file: Path, words: str) -> None:
    """Start a run, and kill it with SIGKILL at once when it has said something."""
    process = start(lab, file)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.strip().startswith(words):
            process.kill()
            break
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL, "".join(said)


def versions(lab: labs.Lab) -> tuple[set[int], set[int]]:
    """Contracts that pods of reviews serve, and that pods of the page need, of all that are not on their way out."""
    provided, needed = set(), set()
    for pod in lab.get("pods", "-n", NAMESPACE)["items"]:
        annotations = pod["metadata"].get("annotations") or {}
        if pod["metadata"].get("deletionTimestamp"):
            continue
        if "bookmesh.dev/provides" in annotations and pod["metadata"]["labels"]["app"] == "reviews":
            provided.add(int(json.loads(annotations["bookmesh.dev/provides"])["reviews-api"]))
        if "needs" in annotations:
            needed.add(int(annotations["needs"]))
    return provided, needed


@contextlib.contextmanager
def watched(lab: labs.Lab) -> Iterator[list[tuple[set[int], set[int]]]]:
    """Look all the time; gives every state in which somebody needs more than somebody serves."""
    wrong: list[tuple[set[int], set[int]]] = []
    looks = 0
    stop = threading.Event()

    def look() -> None:
        nonlocal looks
        while not stop.is_set():
            provided, needed = versions(lab)
            looks += 1
            if provided and needed and max(needed) > min(provided):
                wrong.append((provided, needed))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield wrong
    finally:
        stop.set()
        thread.join()
    assert looks > 5


def go_on(lab: labs.Lab, file: Path, steps: tuple[str, ...]) -> None:
    with watched(lab) as wrong:
        for words in steps:
            contract = max(versions(lab)[0], default=0) + 1
            said, release = words.split()
            kill_after(lab, write(file, contract, slowest=release if said == "…" else ""), words)
            resumed = lab.release("apply", str(file), "--timeout", "60")
            states = [line.split()[1] for line in resumed.stdout.splitlines()]
            assert set(states) <= {"served", "unchanged"}, resumed.stderr
            assert versions(lab) == ({contract}, {contract}), words
            assert lab.get("leases", "-n", NAMESPACE)["items"] == [], "the lock is not given back"
    assert wrong == []


def test_a_run_that_is_killed_goes_on(lab: labs.Lab, tmp_path: Path) -> None:
    """Helm was in the middle of its first upgrade, or of waiting for what the second one needs."""
    go_on(lab, tmp_path / "releases.yaml", ("→ reviews", "… reviews"))


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_step_goes_on(lab: labs.Lab, tmp_path: Path) -> None:
    go_on(lab, tmp_path / "releases.yaml", STEPS)


def test_of_two_people_at_once_one_waits_or_is_told(lab: labs.Lab, tmp_path: Path) -> None:
    contract = max(versions(lab)[0], default=0) + 1
    file = write(tmp_path / "releases.yaml", contract)
    first = start(lab, file)
    assert first.stderr is not None
    while not first.stderr.readline().strip().startswith("→"):
        assert first.poll() is None, "it was done before anybody else came"
    first.send_signal(
        signal.SIGSTOP
    )  # it holds still, so that it is not done before the other one has looked
    try:
        second = lab.release("apply", str(file), check=False)
    finally:
        first.send_signal(signal.SIGCONT)
    assert second.returncode == 1
    assert "BM0607" in second.stderr
    assert f"(process {first.pid})" in second.stderr
    first.communicate(timeout=90)
    assert first.returncode == 0
    assert versions(lab) == ({contract}, {contract})
