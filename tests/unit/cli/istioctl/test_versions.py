from __future__ import annotations

import json

from tests.unit.cli.istioctl.conftest import Run

from bookmesh.lab import releases

STATUS = {
    "get --raw /lab/v1/status": {"proxies": [{"id": "sidecar~10.0.0.1~a.default~default.svc.cluster.local"}]}
}


def test_it_says_the_release_and_counts_proxies(istioctl: Run) -> None:
    result, _ = istioctl("version", answers=STATUS)
    assert f"data plane version: {releases.ISTIO_TAG} (1 proxies)" in result.stdout


def test_without_remote_nobody_is_asked(istioctl: Run) -> None:
    result, kubectl = istioctl("version", "--no-remote", "-o", "json")
    assert json.loads(result.stdout)["clientVersion"]["version"] == releases.ISTIO_TAG
    assert kubectl.asked == []
