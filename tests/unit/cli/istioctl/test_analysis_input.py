from __future__ import annotations

from pathlib import Path

from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import analysis_input

ITEM = {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "team"}, "spec": {}}


def test_the_kinds_that_a_cluster_has_are_asked_for() -> None:
    kubectl = small_dumps.FakeKubectl(
        {
            "api-resources": "pods\nsidecars.networking.istio.io\ngateways.gateway.networking.k8s.io\n",
            "get namespaces,services": {"items": [ITEM]},
        }
    )
    found = analysis_input.gather(kubectl, analysis_input.Files(), namespace="team")
    assert found.find("Service", "team", "a") is not None
    assert kubectl.asked[1].partition(" -A")[0].endswith(",configmaps,sidecars.networking.istio.io")


def test_without_a_cluster_there_is_the_usual_gateway() -> None:
    found = analysis_input.gather(None, analysis_input.Files(), namespace="default")
    assert {"istio": "ingressgateway"}.items() <= next(iter(found.labels_in("istio-system"))).items()


def test_a_field_is_referred_to_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: Service\nmetadata: {name: a}\nspec:\n  ports: []\n")
    (tmp_path / "b.json").write_text('{"kind": "Namespace", "metadata": {"name": "b"}}')
    read = analysis_input.read_files([str(tmp_path)], namespace="team")
    assert read.reference("Service team/a", "spec.ports") == f"{tmp_path}/a.yaml:4"
    assert read.reference("Namespace b", "") == f"{tmp_path}/b.json"
    assert read.reference("Service default/a", "spec") == ""


def test_clusters_that_are_no_lab_do_not_tell_what_is_refused() -> None:
    assert list(analysis_input.refused(small_dumps.FakeKubectl({}), analysis_input.Files())) == []
    assert list(analysis_input.refused(None, analysis_input.Files())) == []
