"""URL paths."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import ApiError, Resource
from bookmesh.kube.api import paths
from bookmesh.kube.api.paths import Path

PODS = Resource("", "v1", "pods")
NAMESPACES = Resource("", "v1", "namespaces")
DEPLOYMENTS = Resource("apps", "v1", "deployments")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/api/v1", Path("", "v1")),
        ("/api/v1/pods", Path("", "v1", PODS)),
        ("/api/v1/namespaces", Path("", "v1", NAMESPACES)),
        ("/api/v1/namespaces/shop", Path("", "v1", NAMESPACES, name="shop")),
        ("/api/v1/namespaces/shop/status", Path("", "v1", NAMESPACES, name="shop", subresource="status")),
        ("/api/v1/namespaces/shop/finalize", Path("", "v1", NAMESPACES, name="shop", subresource="finalize")),
        ("/api/v1/namespaces/shop/pods", Path("", "v1", PODS, "shop")),
        ("/api/v1/namespaces/shop/pods/a/log", Path("", "v1", PODS, "shop", "a", "log")),
        (
            "/apis/apps/v1/namespaces/shop/deployments/a/scale/",
            Path("apps", "v1", DEPLOYMENTS, "shop", "a", "scale"),
        ),
        ("/api/v1/namespaces/shop/pods/a%2Fb", Path("", "v1", PODS, "shop", "a/b")),
    ],
)
def test_parse(raw: str, expected: Path) -> None:
    assert paths.parse(raw) == expected


@pytest.mark.parametrize("raw", ["/", "/nothing", "/apis/apps", "/api/v1/pods/a/b/c/d", "/api/v1/pods//log"])
def test_path_that_names_nothing(raw: str) -> None:
    with pytest.raises(ApiError) as refusal:
        paths.parse(raw)
    assert refusal.value.code == 404
