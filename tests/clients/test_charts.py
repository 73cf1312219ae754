"""
Any chart on a cluster with a node: install, upgrade, rollback, `helm test` and uninstall, with pods that really run.

Without further ado it is a chart of ours, with what charts usually have. BOOKMESH_CHART=DIRECTORY takes another one,
BOOKMESH_CHART_VALUES=FILE its values for all of the life, and BOOKMESH_CHART_IMAGES=FILE,FILE loads images for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import helm_python as helm
import pytest
import yaml
from tests.clients import leaks
from tests.lab import labs

from bookmesh.pytest_plugin import KubernetesApi

pytestmark = [*leaks.TOLERATED, pytest.mark.timeout(300)]
OWN: Final = Path(__file__).parent / "charts" / "web"
CHART: Final = Path(os.environ.get("BOOKMESH_CHART", OWN))
VALUES: Final = os.environ.get("BOOKMESH_CHART_VALUES")
IMAGES: Final = [name for name in os.environ.get("BOOKMESH_CHART_IMAGES", "").split(",") if name]
TIMEOUT_S: Final = 120


@pytest.fixture
def release(kubernetes_namespace: KubernetesApi) -> Iterator[tuple[helm.Config, helm.Chart]]:
    _load_images(kubernetes_namespace)
    config = helm.Config(
        kubeconfig_path=str(kubernetes_namespace.kubeconfig), namespace=kubernetes_namespace.namespace
    )
    with config, helm.Chart.load(CHART) as chart:
        yield config, chart


def _load_images(api: KubernetesApi) -> None:
    env = os.environ | {"BOOKMESH_HOME": str(api.lab.directory.parent)}
    for archive in IMAGES:
        labs.run([labs.BOOKMESH, "image", "load", "--name", api.lab.name, archive], env=env)


def _values(**more: Any) -> dict[str, Any]:
    return (yaml.safe_load(Path(VALUES).read_text()) if VALUES else {}) | more


def _ready(api: KubernetesApi) -> str:
    path = "jsonpath={.items[*].status.readyReplicas}"
    return api.kubectl("get", "deployments", "-o", path)


@pytest.mark.covers("Helm", "install --wait", "upgrade", "rollback", "history", "test", "uninstall")
def test_a_chart_lives_its_life(
    release: tuple[helm.Config, helm.Chart], kubernetes_namespace: KubernetesApi
) -> None:
    config, chart = release
    options: dict[str, Any] = {"wait": "watcher", "timeout": TIMEOUT_S}
    installed = config.install(chart, "web", _values(), **options)
    assert installed["status"] == "deployed"
    assert _ready(kubernetes_namespace) == "1"
    config.upgrade(chart, "web", _values(replicaCount=2), **options)
    labs.wait_until(lambda: _ready(kubernetes_namespace) == "2", within_s=90, what="two replicas")
    config.rollback("web", version=1, **options)
    history = config.history("web")
    assert [each["status"] for each in history] == ["superseded", "superseded", "deployed"]
    config.test("web", timeout=TIMEOUT_S)
    config.uninstall("web", **options)
    left = "deployments,services,poddisruptionbudgets,horizontalpodautoscalers,ingresses"
    labs.wait_until(lambda: kubernetes_namespace.kubectl("get", left, "-o", "name") == "", within_s=60)


@pytest.mark.skipif(CHART != OWN, reason="only our chart has a test that fails")
def test_a_failing_test_hook_is_told(
    release: tuple[helm.Config, helm.Chart], kubernetes_namespace: KubernetesApi
) -> None:
    config, chart = release
    config.install(chart, "web", _values(failTest=True), wait="watcher", timeout=TIMEOUT_S)
    with pytest.raises(helm.HelmError, match="web-fails"):
        config.test("web", timeout=TIMEOUT_S)
    with pytest.raises(helm.HelmError, match="ServiceMonitor"):
        config.upgrade(chart, "web", _values(serviceMonitor={"enabled": True}), timeout=TIMEOUT_S)
