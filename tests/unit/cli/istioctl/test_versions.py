from __future__ import annotations

import json

import yaml
from tests.unit.cli.istioctl.conftest import Run

from bookmesh.lab import releases

PROXIES = [
    {"id": "sidecar~10.0.0.1~a.default~default.svc.cluster.local", "connected": True},
    {"id": "sidecar~10.0.0.2~gone.default~default.svc.cluster.local", "connected": False},
]
STATUS = {"get --raw /lab/v1/status": {"proxies": PROXIES}}


def test_it_says_the_release_and_counts_proxies(istioctl: Run) -> None:
    result, _ = istioctl("version", answers=STATUS)
    assert f"data plane version: {releases.ISTIO_TAG} (1 proxies)\n" in result.stdout
    result, _ = istioctl("version", "--short=false", answers=STATUS)
    assert f"data plane version: a.default {releases.ISTIO_TAG}\n" in result.stdout
    result, _ = istioctl("version", answers={"get --raw /lab/v1/status": {"proxies": []}})
    assert result.stdout.endswith("data plane version: none\n")


def test_without_remote_nobody_is_asked(istioctl: Run) -> None:
    result, kubectl = istioctl("version", "--remote=false")
    assert (len(result.stdout.splitlines()), kubectl.asked) == (1, [])
    result, kubectl = istioctl("version", "--remote=false", "-o", "json")
    assert list(json.loads(result.stdout)) == ["clientVersion"]
    assert kubectl.asked == []


def test_forms_for_programs_have_istios_names(istioctl: Run) -> None:
    for output, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        result, _ = istioctl("version", "-o", output, answers=STATUS)
        found = read(result.stdout)
        assert found["dataPlaneVersion"] == [{"ID": "a.default", "IstioVersion": releases.ISTIO_TAG}]
        assert found["meshVersion"][0]["Info"]["version"] == releases.ISTIO_TAG
