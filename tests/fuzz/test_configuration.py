"""
Configuration that nobody would write, through parser, snapshot, analysis, translation and real Envoys.

The normal suite tries a few hundred inputs, always the same ones; `make fuzz` tries 20,000 new ones, or as many as fit
into its time. A failure prints the objects.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
import time
import unittest
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.fuzz import live, objects
from tests.golden.translate import worlds

from bookmesh.mesh import analysis
from bookmesh.mesh.model import parsing
from bookmesh.mesh.translate import consistency

INPUTS = int(os.environ.get("BOOKMESH_FUZZ_INPUTS", "0"))
SECONDS = float(os.environ.get("BOOKMESH_FUZZ_SECONDS", "1200"))
RUN = settings(
    max_examples=INPUTS or 200,
    deadline=None,
    derandomize=not INPUTS,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
PROXIES = ("default/productpage-v1-5d8f-aaaaa", "istio-system/istio-ingressgateway-1")
# Where a person sends connections need not exist; then they are closed.
DESTINATION = " uses cluster outbound|"
NO_FILE = "Invalid path: "
"""What Envoy says when a certificate is not in its pod, which only the pod can tell."""
# They patch Envoy's own configuration: what that does is up to whoever writes them, and no analysis can tell.
PATCHES = "EnvoyFilter"


@pytest.fixture(scope="module")
def envoys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Envoys]:
    with live.envoys(tmp_path_factory.mktemp("envoys")) as running:
        yield running


@pytest.fixture(scope="module")
def bookinfo() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((worlds.HERE / "bookinfo.yaml").read_text()))


def ends_s() -> float:
    return time.monotonic() + SECONDS


class TimeIsUp(unittest.SkipTest):
    """Hypothesis lets what skips a test pass at once, and makes up no more inputs."""


def stop_after(until_s: float) -> None:
    if time.monotonic() > until_s:
        raise TimeIsUp


@pytest.mark.timeout(SECONDS + 300 if INPUTS else 300)
def test_every_object_is_parsed_or_refused_with_a_place() -> None:
    until_s = ends_s()

    @RUN
    @given(obj=objects.objects())
    def check(obj: dict[str, Any]) -> None:
        stop_after(until_s)
        parsed = parsing.parse(obj)
        if parsed.spec is None:
            (finding,) = parsed.findings
            assert finding.code == "BM0201"
            assert finding.where.startswith("spec")
            assert finding.subject == parsed.ref

    with contextlib.suppress(TimeIsUp):
        check()


@pytest.mark.timeout(SECONDS + 300 if INPUTS else 300)
def test_what_is_accepted_no_envoy_refuses(envoys: live.Envoys, bookinfo: list[dict[str, Any]]) -> None:
    until_s, tried = ends_s(), 0

    @RUN
    @given(configs=st.lists(objects.objects(), min_size=1, max_size=4), proxy=st.sampled_from(PROXIES))
    def check(configs: list[dict[str, Any]], proxy: str) -> None:
        nonlocal tried
        stop_after(until_s)
        tried += 1
        unpatched = [obj for obj in with_names(configs) if obj["kind"] != PATCHES]
        world = worlds.build(copy.deepcopy(bookinfo + unpatched), {"proxy": proxy})
        said = "---\n".join(yaml.safe_dump(obj, allow_unicode=True) for obj in configs)
        findings = [finding.render() for finding in analysis.analyze(world.snapshot)]
        problems = [p for p in consistency.check(world.resources()) if DESTINATION not in p]
        assert problems == [], said
        refused = [each for each in envoys.refusals(world) if NO_FILE not in each[2]]
        assert not refused, "\n".join([f"for {proxy} Envoy refuses {refused}", said, *findings])

    with contextlib.suppress(TimeIsUp):
        check()
    sys.stdout.write(f"{tried} inputs\n")


@pytest.mark.timeout(SECONDS + 300 if INPUTS else 300)
def test_a_patch_that_envoy_refuses_breaks_nothing_else(
    envoys: live.Envoys, bookinfo: list[dict[str, Any]]
) -> None:
    """What a patch was not about is taken all the same, and everything once the patch is gone."""
    until_s, tried, refused_patches = ends_s(), 0, 0

    @RUN
    @given(patches=st.lists(objects.patches(), min_size=1, max_size=3), proxy=st.sampled_from(PROXIES))
    def check(patches: list[dict[str, Any]], proxy: str) -> None:
        nonlocal tried, refused_patches
        stop_after(until_s)
        tried += 1
        world = worlds.build(copy.deepcopy(bookinfo + with_names(patches)), {"proxy": proxy})
        said = "---\n".join(yaml.safe_dump(obj, allow_unicode=True) for obj in patches)
        sources = world.resources().sources()
        refused = envoys.refusals(world)
        refused_patches += bool(refused)
        innocent = [
            (short, name, message)
            for short, name, message in refused
            if not any(ref.kind == PATCHES for ref in sources[worlds.TYPES[short], name])
        ]
        assert not innocent, "\n".join([f"for {proxy} Envoy refuses {innocent}", said])
        again = envoys.refusals(worlds.build(copy.deepcopy(bookinfo), {"proxy": proxy}))
        assert not again, "\n".join([f"for {proxy} Envoy still refuses {again}", said])

    with contextlib.suppress(TimeIsUp):
        check()
    assert refused_patches, "no patch was refused, so nothing was shown"
    sys.stdout.write(f"{tried} inputs, {refused_patches} with refusals\n")


def with_names(configs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two objects of one kind and name are one in an API: give each a name of its own."""
    return [
        obj | {"metadata": {**obj["metadata"], "name": f"{obj['metadata']['name']}-{index}"}}
        for index, obj in enumerate(configs)
    ]
