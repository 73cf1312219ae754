"""Settings with which a proxy is made."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import parsing
from bookmesh.mesh.snapshot import proxy_configs
from bookmesh.mesh.snapshot.settings import MeshSettings

MESH = MeshSettings(environment=(("A", "mesh"), ("MESH", "1")))
APP = {"selector": {"matchLabels": {"app": "a"}}}


def config(value: str, namespace: str = "shop", **spec: Any) -> parsing.Parsed:
    about = {"apiVersion": "networking.istio.io/v1beta1", "kind": "ProxyConfig"}
    spec = {"environmentVariables": {"A": value}, **spec}
    return parsing.parse({**about, "metadata": {"name": value, "namespace": namespace}, "spec": spec})


def settings(*configs: parsing.Parsed, annotation: str = "", **labels: str) -> proxy_configs.ProxySettings:
    annotations = {"proxy.istio.io/config": annotation} if annotation else {}
    metadata = {"name": "p", "namespace": "shop", "labels": labels, "annotations": annotations}
    return proxy_configs.settings_for({"metadata": metadata}, configs, MESH)


def test_the_nearest_wins_variable_by_variable() -> None:
    root, own, one = config("root", "istio-system"), config("own"), config("one", **APP)
    annotation = "proxyMetadata: {A: annotation}"
    found = (
        settings(),
        settings(root),
        settings(root, own),
        settings(root, own, annotation=annotation),
        settings(root, own, one, annotation=annotation, app="a"),
        settings(root, own, one, app="b"),
    )
    values = [dict(each.environment) for each in found]
    assert [value["A"] for value in values] == ["mesh", "root", "own", "annotation", "one", "own"]
    assert all(value["MESH"] == "1" for value in values)


def test_the_oldest_of_equals_wins() -> None:
    assert dict(settings(config("first"), config("second")).environment)["A"] == "first"


def test_others_do_not_count() -> None:
    elsewhere = config("other", "other"), config("root", "istio-system", **APP)
    assert dict(settings(*elsewhere, app="a").environment)["A"] == "mesh"


def test_kind_of_image_is_the_nearest_one_that_is_given() -> None:
    root = config("root", "istio-system", image={"imageType": "distroless"})
    assert settings(root, config("own")).image_type == "distroless"
    assert settings(root, config("own", image={"imageType": "default"})).image_type == ""
    assert settings().image_type == ""


def test_threads_are_those_of_the_nearest_that_says_a_number() -> None:
    root, own = config("root", "istio-system", concurrency=3), config("own")
    one = config("one", concurrency=0, **APP)
    assert settings().concurrency is None
    assert settings(root, own).concurrency == 3
    assert settings(root, own, annotation="concurrency: 4").concurrency == 4
    assert settings(root, own, one, annotation="concurrency: 4", app="a").concurrency == 0


def test_the_drain_is_the_annotations_before_the_meshs() -> None:
    assert settings().drain_s is None
    assert settings(annotation="drainDuration: 2s").drain_s == 2


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "[1]",
        "proxyStatsMatcher: 1",
        "proxyMetadata: {A: 1}",
        "concurrency: -1",
        "drainDuration: soon",
    ],
)
def test_an_annotation_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"annotation proxy\.istio\.io/config cannot be read"):
        proxy_configs.read_annotation({"proxy.istio.io/config": text})
    assert dict(settings(annotation=text).environment)["A"] == "mesh"
