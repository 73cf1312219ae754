from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from tests.unit.cli.istioctl import small_dumps
from tests.unit.cli.istioctl.conftest import Run

from bookmesh.cli.istioctl import installing

ANSWERS: dict[str, Any] = {"apply": "", "rollout": "", "delete": ""}
WAY = ("delete", "delete")  # what an installation by Istio itself has left


def verbs(kubectl: small_dumps.FakeKubectl) -> list[str]:
    return [line.split(" ")[0] for line in kubectl.asked]


def test_demo_brings_both_gateways_and_the_mesh_settings(istioctl: Run) -> None:
    setting = "meshConfig.outboundTrafficPolicy.mode=REGISTRY_ONLY"
    result, kubectl = istioctl("install", "--set", "profile=demo", "--set", setting, "-y", answers=ANSWERS)
    assert result.exit_code == 0, result.output
    assert verbs(kubectl) == ["apply", *WAY, "apply", "rollout", *("apply", "delete", "rollout") * 2]
    _, mesh, values = yaml.safe_load_all(kubectl.given[0])
    assert (mesh["metadata"]["name"], values["metadata"]["name"]) == ("istio", "istio-sidecar-injector")
    assert yaml.safe_load(mesh["data"]["mesh"])["outboundTrafficPolicy"]["mode"] == "REGISTRY_ONLY"
    assert result.stdout.endswith("\u2714 Installation complete\n")


def test_minimal_takes_the_gateways_away(istioctl: Run) -> None:
    result, kubectl = istioctl("install", "--set", "profile=minimal", "-y", answers=ANSWERS)
    assert result.exit_code == 0
    assert verbs(kubectl) == ["apply", *WAY, "apply", "rollout", "delete", "delete"]
    _, kubectl = istioctl("install", "--set", "profile=empty", "-y", answers=ANSWERS)
    assert verbs(kubectl) == ["apply", *WAY, "delete", "delete", "delete"]


def test_without_y_it_asks(istioctl: Run) -> None:
    result, kubectl = istioctl("install", answers=ANSWERS, text="n\n")
    assert result.exit_code == 1
    assert result.stdout.endswith("Proceed? (y/N)Cancelled.\n")
    assert kubectl.asked == []
    result, _ = istioctl("uninstall", "--revision=default", answers=ANSWERS, text="y\n")
    assert result.exit_code == 0


def test_a_file_is_read(istioctl: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("kind: IstioOperator\nspec: {profile: minimal}\n")
    result, _ = istioctl("install", "-f", str(file), "-y", answers=ANSWERS)
    assert result.exit_code == 0
    result, _ = istioctl("install", "-y", "-f", "-", answers=ANSWERS, text=file.read_text())
    assert result.exit_code == 0
    result, _ = istioctl("install", "-f", str(tmp_path / "none"), "-y")
    assert result.exit_code == 1


def test_what_is_not_supported_says_so(istioctl: Run) -> None:
    for arguments in (("--set", "profile=ambient"), ("--revision", "canary")):
        result, kubectl = istioctl("install", *arguments, "-y")
        assert result.exit_code == 1
        assert "not supported" in result.stderr
        assert kubectl.asked == []


def test_what_to_uninstall_must_be_said(istioctl: Run) -> None:
    result, kubectl = istioctl("uninstall", "-y", answers=ANSWERS)
    assert (result.exit_code, kubectl.asked) == (1, [])
    assert "at least one of the --revision, --filename, or --purge flags must be set" in result.stderr


def test_uninstalling_leaves_the_namespace(istioctl: Run) -> None:
    result, kubectl = istioctl("uninstall", "--purge", "-y", answers=ANSWERS)
    assert result.exit_code == 0
    for text in kubectl.given:
        assert "Namespace" not in [document["kind"] for document in yaml.safe_load_all(text)]
    assert kubectl.asked[-1].startswith("delete configmap istio istio-sidecar-injector")


def test_manifests_go_into_the_namespace_asked_for() -> None:
    for each in (installing.INGRESS, installing.EGRESS, installing.CONTROL_PLANE):
        documents = list(yaml.safe_load_all(installing.read_manifest(each.manifest, "mesh")))
        assert {document["metadata"]["namespace"] for document in documents} == {"mesh"}


def test_what_a_file_says_about_a_gateway_goes_into_its_objects(istioctl: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    gateway = {"name": "istio-ingressgateway", "k8s": {"hpaSpec": {"maxReplicas": 3}}}
    file.write_text(
        yaml.safe_dump({"kind": "IstioOperator", "spec": {"components": {"ingressGateways": [gateway]}}})
    )
    result, kubectl = istioctl("install", "-f", str(file), "-y", answers=ANSWERS)
    assert result.exit_code == 0, result.output
    applied = [document["kind"] for document in yaml.safe_load_all(kubectl.given[-1])]
    assert applied == ["ServiceAccount", "Service", "Deployment", "HorizontalPodAutoscaler"]
    assert "delete hpa istio-ingressgateway" not in " ".join(kubectl.asked)


def test_what_istios_own_installation_left_goes_first(istioctl: Run) -> None:
    for arguments in (("install", "-y"), ("uninstall", "--purge", "-y")):
        _, kubectl = istioctl(*arguments, answers=ANSWERS)
        webhooks, deployments = [line for line in kubectl.asked if line.startswith("delete")][:2]
        assert webhooks.startswith("delete mutatingwebhookconfigurations/istio-sidecar-injector ")
        assert (
            deployments == "delete deployments -n istio-system -l install.operator.istio.io/owning-resource"
        )
