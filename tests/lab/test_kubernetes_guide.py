"""
What docs/guides/kubernetes.md tells people to do with a cluster of theirs, done with a lab as a context like any other.

Its commands run as they are written, but for the name of the context, and for those that make a cluster.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab import labs

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "kubernetes.md"
BLOCK = re.compile(r"^```(sh|yaml)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CONTEXT = "kind-shop"
ELSEWHERE = ("kind ", "istioctl ")
"""Commands that make a cluster."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a person would stand: in the repository."""
    for name in ("charts", "kustomize"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.fixture
def lab(new_lab: Callable[[], labs.Lab]) -> Iterator[labs.Lab]:
    """One with nothing in it, as a new cluster is."""
    lab = new_lab()
    lab.bookmesh("up")
    yield lab
    lab.bookmesh("down")


def test_every_command_of_the_guide_does_what_it_says(lab: labs.Lab, folder: Path) -> None:
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(lab.bookmesh("kubeconfig").stdout)
    context = lab.kubectl("config", "current-context").stdout.strip()
    path = os.pathsep.join((str(labs.BOOKMESH.parent), os.environ["PATH"]))
    env = lab.env | {"KUBECONFIG": str(kubeconfig), "PATH": path, "KUBECACHEDIR": str(folder / "cache")}
    said: dict[str, str] = {}
    for kind, text in BLOCK.findall(GUIDE.read_text()):
        if kind == "yaml":
            (folder / text.splitlines()[0].removeprefix("# ")).write_text(text)
            continue
        for command in text.splitlines():
            if not command.startswith(ELSEWHERE):
                shell = ["bash", "-euc", f"cd {folder} && {command.replace(CONTEXT, context)}"]
                said[command] = labs.run(shell, env=env, timeout=120).stdout
    assert "ok   productpage requires reviews-api >=2 of reviews" in said[find(said, "release status")]
    assert said[find(said, "release plan half.yaml")].count("upgrade") == 1
    assert said[find(said, "get virtualservice reviews -n shop")].split() == ["50", "50"]
    assert "passed" in said[find(said, "task verify")]
    assert said[find(said, "get virtualservice reviews -n plain")].split() == ["v1", "v3"]
    gone = [line.split()[0] for line in said[find(said, "release uninstall")].splitlines()]
    assert gone.index("productpage") < gone.index("reviews")


def find(commands: dict[str, str], words: str) -> str:
    """The one command that has these words."""
    (found,) = [command for command in commands if words in command]
    return found
