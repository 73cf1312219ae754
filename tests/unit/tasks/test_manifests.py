from __future__ import annotations

from pathlib import Path

import pytest

from bookmesh.tasks import manifests
from bookmesh.tasks.manifests import Identity

DEPLOYMENT = {"kind": "Deployment", "metadata": {"name": "curl"}}


def test_only_the_namespace_is_filled_in() -> None:
    assert (
        manifests.fill("${namespace} ${NAMESPACE} $namespace ${HOST}", "n")
        == "n ${NAMESPACE} $namespace ${HOST}"
    )
    assert manifests.fill_all({"a${namespace}": ["${namespace}", 1]}, "n") == {"an": ["n", 1]}


def test_files_and_objects_become_one_stream(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("---\nkind: A\nmetadata: {name: '${namespace}'}\n---\nkind: B\n\n")
    text = manifests.read(["a.yaml", {"kind": "C"}], tmp_path, "n")
    assert manifests.parse(text) == [
        {"kind": "A", "metadata": {"name": "n"}}, {"kind": "B"}, {"kind": "C"}
    ]  # fmt: skip


def test_lists_are_opened_and_empty_documents_dropped() -> None:
    assert manifests.parse("---\n---\nkind: List\nitems: [{kind: A}]\n") == [{"kind": "A"}]


@pytest.mark.parametrize("text", ["a: [", "- 1", "metadata: {}"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not YAML|no Kubernetes object"):
        manifests.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: 1\n", ""), ("a: 1\nb: [\n", "bad.yaml:3: not YAML: "), ("a: {b\nc: 1\n", "bad.yaml:2: not YAML: ")],
)
def test_a_file_that_is_no_yaml_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "good.yaml").write_text("kind: A\n")
    (tmp_path / "bad.yaml").write_text(text)
    found = manifests.blame(["good.yaml", {"kind": "B"}, "bad.yaml"], tmp_path)
    assert found.startswith(said)
    assert bool(found) is bool(said)


def test_strays_are_objects_elsewhere_that_nobody_declared() -> None:
    other = {"kind": "Secret", "metadata": {"name": "s", "namespace": "istio-system"}}
    role = {"kind": "ClusterRole", "metadata": {"name": "r"}}
    own = {"kind": "Secret", "metadata": {"name": "s", "namespace": "n"}}
    found = manifests.strays(
        [DEPLOYMENT, own, other, role],
        namespace="n",
        cluster_wide=frozenset({"ClusterRole"}),
        declared=frozenset({Identity("ClusterRole", "", "r")}),
    )
    assert [str(each) for each in found] == ["Secret istio-system/s"]


def test_what_has_pods_is_rolled_out_in_its_namespace() -> None:
    other = {"kind": "StatefulSet", "metadata": {"name": "db", "namespace": "m"}}
    assert manifests.rollouts([DEPLOYMENT, other, {"kind": "Service"}], "n") == {
        "n": ["deployment/curl"], "m": ["statefulset/db"]
    }  # fmt: skip
