from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from tests.unit.cli.istioctl.conftest import Run

from bookmesh.cli.istioctl import kube_injecting

NO_VALUES = {"get configmap istio-sidecar-injector -n istio-system": ""}


def pod_spec(**labels: str) -> dict[str, Any]:
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "curl"}]}}


def sidecars(template: dict[str, Any]) -> list[str]:
    return [each["name"] for each in template["spec"]["containers"] if each["name"] != "app"]


def test_templates_get_a_sidecar_and_other_objects_stay(istioctl: Run, tmp_path: Path) -> None:
    service = {"kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}
    deployment = {"kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": pod_spec(app="a")}}
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump_all([service, deployment]))
    result, _ = istioctl("kube-inject", "-f", str(file), answers=NO_VALUES)
    assert result.exit_code == 0, result.output
    first, second = yaml.safe_load_all(result.stdout)
    assert first == service
    assert sidecars(second["spec"]["template"]) == ["istio-proxy"]
    assert "sidecar.istio.io/status" in second["spec"]["template"]["metadata"]["annotations"]
    target = tmp_path / "out.yaml"
    istioctl("kube-inject", "-f", "-", "-o", str(target), text=file.read_text(), answers=NO_VALUES)
    assert target.read_text() == result.stdout


def test_pods_lists_and_cron_jobs_too_but_not_who_opted_out() -> None:
    pod = {"kind": "Pod", **pod_spec()}
    out = {"kind": "Pod", **pod_spec(**{"sidecar.istio.io/inject": "false"})}
    cron = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod_spec()["spec"]}}}}}
    everything, last = kube_injecting.inject_all([{"kind": "List", "items": [pod, out]}, cron])
    assert [sidecars(each) for each in everything["items"]] == [["istio-proxy"], []]
    assert sidecars(last["spec"]["jobTemplate"]["spec"]["template"]) == ["istio-proxy"]
    assert sidecars(pod) == []


def test_values_of_the_installation_count(istioctl: Run) -> None:
    values = {"data": {"values": '{"global": {"proxy": {"includeIPRanges": "10.0.0.0/8"}}}'}}
    answers = {"get configmap": values}
    text = yaml.safe_dump({"kind": "Pod", **pod_spec()})
    result, _ = istioctl("kube-inject", "-f", "-", text=text, answers=answers)
    annotations = yaml.safe_load(result.stdout)["metadata"]["annotations"]
    assert annotations["traffic.sidecar.istio.io/includeOutboundIPRanges"] == "10.0.0.0/8"


def test_a_file_that_is_not_there_is_named(istioctl: Run) -> None:
    result, _ = istioctl("kube-inject", "-f", "/does/not/exist", answers=NO_VALUES)
    assert result.exit_code == 1
    assert "/does/not/exist" in result.stderr
