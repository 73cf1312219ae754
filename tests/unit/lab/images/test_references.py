from __future__ import annotations

import pytest

from bookmesh.lab.images import references

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("bookmesh/bookinfo-reviews:0.1.0", "docker.io/bookmesh/bookinfo-reviews:0.1.0"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/istio/proxyv2:1", "docker.io/istio/proxyv2:1"),
        ("localhost/shop", "localhost/shop:latest"),
        ("localhost:5000/a/b_c/d--e:v1.0-x", "localhost:5000/a/b_c/d--e:v1.0-x"),
        ("[::1]:5000/shop:1", "[::1]:5000/shop:1"),
        ("ghcr.io/x/y@" + DIGEST, "ghcr.io/x/y@" + DIGEST),
        ("x/y:1@" + DIGEST, "docker.io/x/y:1@" + DIGEST),
    ],
)
def test_a_name_is_completed_as_engines_do_it(text: str, complete: str) -> None:
    parsed = references.parse(text)
    assert str(parsed) == complete
    assert references.parse(complete) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Shop",
        "shop:",
        "a//b",
        "shop:tag:tag",
        "/shop",
        "shop@sha256:12",
        "../x",
        "a b",
        "shop:é",
        "Shop/x",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no name of an image"):
        references.parse(text)
