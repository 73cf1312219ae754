from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bookmesh.kube.node import images
from bookmesh.kube.sandbox.specification import Mount
from bookmesh.lab.images import catalogue


@pytest.fixture
def resolver(tmp_path: Path) -> catalogue.Catalogue:
    return catalogue.Catalogue(catalogue.load(), envoy=Path("/opt/envoy"), programs=tmp_path)


@pytest.mark.parametrize(
    ("reference", "repository", "tag"),
    [
        ("nginx", "nginx", "latest"),
        ("docker.io/istio/proxyv2:1.28.0", "docker.io/istio/proxyv2", "1.28.0"),
        ("localhost:5000/team/app", "localhost:5000/team/app", "latest"),
        ("localhost:5000/team/app:7@sha256:abc", "localhost:5000/team/app", "7"),
    ],
)
def test_names_are_taken_apart(reference: str, repository: str, tag: str) -> None:
    assert catalogue.parse_name(reference) == catalogue.ImageName(repository, tag)


@pytest.mark.parametrize(
    "prefix",
    ["docker.io/istio/", "istio/", "registry.istio.io/release/", "gcr.io/istio-release/", "127.0.0.1:5000/"],
)
@pytest.mark.parametrize(
    ("service", "version"),
    [("details", "v1"), ("ratings", "v1"), ("reviews", "v1"), ("reviews", "v3"), ("productpage", "v1")],
)
def test_istios_bookinfo_runs_under_every_registry(
    resolver: catalogue.Catalogue, prefix: str, service: str, version: str
) -> None:
    image = resolver.resolve(f"{prefix}examples-bookinfo-{service}-{version}:1.20.3")
    assert image.entry == "bookinfo.main:main"
    assert image.command == (service,)
    assert image.env["SERVICE_VERSION"] == version


@pytest.mark.parametrize(
    ("name", "tag", "service", "root"),
    [
        ("review", "0.1.0", "reviews", "review-v1"),
        ("review", "0.2.0", "reviews", "review-v2"),
        ("review", "0.3.0", "reviews", "review-v3"),
        ("rating", "0.1.0", "ratings", "rating"),
        ("detail", "0.1.0", "details", "detail"),
        ("productpage", "0.1.0", "productpage", "productpage"),
    ],
)
def test_the_articles_images_answer_their_name_on_port_80(
    resolver: catalogue.Catalogue, name: str, tag: str, service: str, root: str
) -> None:
    image = resolver.resolve(f"registry.cn-shanghai.aliyuncs.com/daydaygo/istio_bookinfo_{name}:{tag}")
    assert image.command == (service,)
    assert (image.env["PORT"], image.env["BOOKINFO_ROOT_NAME"]) == ("80", root)


def test_a_tag_that_no_entry_knows_is_unknown(resolver: catalogue.Catalogue) -> None:
    with pytest.raises(images.ImageError, match="BM0301"):
        resolver.resolve("registry.cn-shanghai.aliyuncs.com/daydaygo/istio_bookinfo_review:9.9.9")


def test_the_proxy_is_the_real_envoy(resolver: catalogue.Catalogue) -> None:
    image = resolver.resolve("docker.io/istio/proxyv2:1.28.0")
    assert image.entrypoint[:3] == ("/opt/envoy", "-c", catalogue.PROXY_CONFIG)
    assert image.command == ("--concurrency", "1", "--drain-time-s", "5")
    assert image.entry is None


def test_an_unknown_image_names_near_ones_and_the_way_on(resolver: catalogue.Catalogue) -> None:
    with pytest.raises(images.ImageError) as caught:
        resolver.resolve("docker.io/mccutchen/go-httpbim:v2")
    text = str(caught.value)
    assert 'image "docker.io/mccutchen/go-httpbim:v2"' in text
    assert "go-httpbin" in text
    assert "docs/reference/images.md" in text


def test_a_program_the_host_lacks_names_its_package(
    resolver: catalogue.Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kwargs: None)
    with pytest.raises(images.ImageError, match=r"BM0303[\s\S]*apt-get install curl"):
        resolver.resolve("docker.io/curlimages/curl:8.16.0")


def test_an_entry_must_say_what_runs() -> None:
    with pytest.raises(ValueError, match="must name python, program or envoy"):
        catalogue._parse_entry({"repository": "x", "run": {}})


@pytest.mark.parametrize(
    ("reference", "entry", "version"),
    [
        ("docker.io/istio/examples-helloworld-v2:1.0", "bookmesh.lab.standins.helloworld:main", "v2"),
        ("docker.io/istio/tcp-echo-server:1.3", "bookmesh.lab.standins.tcp_echo:main", None),
        ("fortio/fortio:latest_release", "bookmesh.lab.standins.fortio:main", None),
        ("docker.io/istio/pilot:1.28.0", "bookmesh.lab.standins.istiod:main", None),
    ],
)
def test_tools_of_the_tasks_have_stand_ins(
    resolver: catalogue.Catalogue, reference: str, entry: str, version: str | None
) -> None:
    image = resolver.resolve(reference)
    assert image.entry == entry
    assert image.env.get("SERVICE_VERSION") == version


def test_images_bring_their_own_programs(resolver: catalogue.Catalogue) -> None:
    targets = {
        reference: {mount.target for mount in resolver.resolve(reference).mounts}
        for reference in ("fortio/fortio", "istio/proxyv2:1.28.0", "mccutchen/go-httpbin")
    }
    assert "/usr/bin/fortio" in targets["fortio/fortio"]
    assert "/usr/local/bin/pilot-agent" in targets["istio/proxyv2:1.28.0"]
    assert "/usr/bin/fortio" not in targets["mccutchen/go-httpbin"]


def test_nginx_and_squid_are_the_hosts_own_and_named_with_their_package(
    resolver: catalogue.Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kwargs: None)
    for reference, package in (("nginx", "nginx-light"), ("sameersbn/squid:3.5.27", "squid")):
        with pytest.raises(images.ImageError, match=rf"BM0303[\s\S]*apt-get install {package}"):
            resolver.resolve(reference)


def test_every_image_has_what_its_programs_trust(tmp_path: Path) -> None:
    trust = catalogue.Trust(
        (Mount("/lab/ca.crt", "/etc/ca.crt", read_only=True),), {"SSL_CERT_FILE": "/etc/ca.crt"}
    )
    resolver = catalogue.Catalogue(catalogue.load(), envoy=Path("/opt/envoy"), programs=tmp_path, trust=trust)
    for reference in ("proxyv2", "mccutchen/go-httpbin", "examples-bookinfo-reviews-v1"):
        image = resolver.resolve(reference)
        assert image.content == trust.mounts
        assert image.env["SSL_CERT_FILE"] == "/etc/ca.crt"
