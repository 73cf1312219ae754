"""Rules inside a VirtualService that a schema cannot say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import virtual_services as models

TO_WEB = {"destination": {"host": "web"}}


def convert(**spec: Any) -> models.VirtualService:
    return msgspec.convert(spec, models.VirtualService)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"gateways": ["mesh"], "http": [{"route": [TO_WEB]}]}, "hosts must not be empty"),
        ({"tcp": [{"route": [TO_WEB]}]}, "hosts must not be empty"),
        ({"hosts": ["web"]}, "one of http, tls and tcp is required"),
        ({"hosts": ["web"], "http": [{}]}, "one of route, redirect, directResponse and delegate"),
        ({"hosts": ["web"], "http": [{"route": [TO_WEB], "redirect": {}}]}, "route excludes redirect"),
        ({"hosts": ["web"], "http": [{"route": [TO_WEB, TO_WEB]}]}, "must not all be 0"),
    ],
)
def test_broken_rules_are_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        convert(**spec)


def test_delegate_on_a_gateway_needs_no_hosts() -> None:
    convert(gateways=["main"], http=[{"delegate": {"name": "other"}}])


def test_mirror_percent_has_two_old_spellings() -> None:
    route = {"route": [TO_WEB], "mirror_percent": 5, "mirrorPercent": 6}
    (found,) = convert(hosts=["web"], http=[route]).http
    assert (found.mirror_percent_snake, found.mirror_percent) == (5, 6)


@pytest.mark.parametrize(
    "route",
    [
        {"match": [{"headers": {"a b": {"exact": "x"}}}]},
        {"match": [{"withoutHeaders": {"": {}}}]},
        {"match": [{"headers": {"x": {"prefix": ""}}}]},
        {"match": [{"method": {"prefix": ""}}]},
        {"match": [{"uri": {"regex": ""}}]},
        {"match": [{"queryParams": {"": {"exact": "x"}}}]},
        {"headers": {"request": {"remove": [""]}}},
        {"headers": {"response": {"set": {"x": "a\nb"}}}},
        {"headers": {"request": {"add": {"x": "100%"}}}},
        {"fault": {"delay": {"fixedDelay": "0s"}}},
        {"mirrorPercent": 101},
    ],
)
def test_what_no_envoy_takes_is_refused(route: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(hosts=["web"], http=[{"route": [TO_WEB], **route}])


def test_of_a_path_any_prefix_may_be_asked() -> None:
    match = msgspec.convert({"uri": {"prefix": ""}}, models.HttpMatchRequest)
    assert match.uri is not None
    assert match.uri.prefix == ""
