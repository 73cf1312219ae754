"""
Every odd value in turn, at every place of the valid objects where there is one of its type.

What random changes seldom hit is hit for certain here. The normal suite tries one in a hundred; `make fuzz` tries all.
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.fuzz import live, objects
from tests.fuzz.test_configuration import DESTINATION, INPUTS, NO_FILE, PATCHES, PROXIES
from tests.golden.translate import worlds

from bookmesh.mesh.model import parsing
from bookmesh.mesh.translate import consistency

STEP = 1 if INPUTS else 100
DURATIONS = ("0s", "1ns", "0.5ms", "1ms", "1.0015s", "87600h", "9999999h", "3153600000000h")
NUMBERS = (-1, 0, 1, 2, 79, 100, 101, 200, 599, 65535, 1_000_001, 2**31 - 1, 2**32 - 1, 2**63 - 1)
FRACTIONS = (-1.0, 0.0, 1e-9, 0.5, 100.0, 100.1, 1e30, 1e300)
IS_DURATION = re.compile(r"[0-9.]+(ns|us|ms|s|m|h)")
GATEWAY_SERVERS = [
    {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]},
    {"port": {"number": 31400, "name": "tcp", "protocol": "TCP"}, "hosts": ["*"]},
    {
        "port": {"number": 443, "name": "tls", "protocol": "TLS"},
        "hosts": ["*"],
        "tls": {"mode": "PASSTHROUGH"},
    },
]


def values_like(value: Any) -> tuple[Any, ...]:
    match value:
        case bool():
            return (not value,)
        case int():
            return NUMBERS
        case float():
            return FRACTIONS
        case str() if IS_DURATION.fullmatch(value):
            return DURATIONS
        case str():
            return objects.WORDS
        case _:
            return ()


def at(spec: Any, path: tuple[Any, ...]) -> Any:
    return functools.reduce(lambda value, step: value[step], path, spec)


def changed() -> Iterator[dict[str, Any]]:
    """Valid objects, each with one value changed, at two examples of each place."""
    seen: dict[tuple[Any, ...], int] = {}
    for seed in objects.seeds():
        for path in objects.paths_in(seed.get("spec") or {}) if seed["kind"] != PATCHES else ():
            place = (seed["kind"], *("#" if isinstance(step, int) else step for step in path))
            seen[place] = seen.get(place, 0) + 1
            for value in values_like(at(seed["spec"], path)) if seen[place] <= 2 else ():
                obj = copy.deepcopy(seed)
                at(obj["spec"], path[:-1])[path[-1]] = value
                yield obj


def gateways_for(obj: dict[str, Any]) -> list[dict[str, Any]]:
    """Gateways of the names that a VirtualService uses."""
    names = obj["spec"].get("gateways", ()) if obj["kind"] == "VirtualService" else ()
    return [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Gateway",
            "metadata": {
                "name": name.rpartition("/")[2] or "x",
                "namespace": name.rpartition("/")[0] or "default",
            },
            "spec": {"selector": {"istio": "ingressgateway"}, "servers": GATEWAY_SERVERS},
        }
        for name in names
        if name != "mesh"
    ]


@pytest.mark.timeout(1800 if INPUTS else 300)
def test_no_envoy_refuses_a_value_that_is_accepted(tmp_path: Any) -> None:
    bookinfo = list(yaml.safe_load_all((worlds.HERE / "bookinfo.yaml").read_text()))
    usable = 0
    with live.envoys(tmp_path) as envoys:
        for index, obj in enumerate(changed()):
            if index % STEP or parsing.parse(obj).spec is None:
                continue
            usable += 1
            for proxy in PROXIES:
                world = worlds.build(copy.deepcopy([*bookinfo, *gateways_for(obj), obj]), {"proxy": proxy})
                said = f"for {proxy}:\n{yaml.safe_dump(obj, allow_unicode=True)}"
                assert [p for p in consistency.check(world.resources()) if DESTINATION not in p] == [], said
                assert [each for each in envoys.refusals(world) if NO_FILE not in each[2]] == [], said
    assert usable > 10_000 // STEP
