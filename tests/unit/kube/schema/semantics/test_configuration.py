"""ConfigMaps and Secrets."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]


def config_map(**fields: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, **fields}


def secret(**fields: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("obj", "field", "message"),
    [
        (
            config_map(data={"a/b": ""}),
            "data[a/b]",
            'Invalid value: "a/b": a valid config key must consist of',
        ),
        (config_map(binaryData={"..a": ""}), "binaryData[..a]", 'Invalid value: "..a": must not be'),
        (
            config_map(data={"a": ""}, binaryData={"a": ""}),
            "data[a]",
            'Invalid value: "a": duplicate of key present',
        ),
        (config_map(data={"a": "x" * 1_100_000}), "", "Too long: may not be more than 1048576 bytes"),
        (secret(data={"a b": ""}), "data[a b]", 'Invalid value: "a b": a valid config key must consist of'),
        (
            secret(data={"a": encoded("x" * 1_100_000)}),
            "data",
            "Too long: may not be more than 1048576 bytes",
        ),
        (secret(type="kubernetes.io/tls", data={"tls.crt": ""}), "data[tls.key]", "Required value"),
        (
            secret(type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": encoded("{")}),
            "data[.dockerconfigjson]",
            'Invalid value: "<secret contents redacted>": must be valid JSON',
        ),
    ],
)
def test_bad_configuration_is_refused(causes_of: Causes, obj: Obj, field: str, message: str) -> None:
    found = causes_of(obj)
    assert [each for each, _ in found] == [field]
    assert found[0][1].startswith(message)


def test_good_configuration_is_fine(causes_of: Causes) -> None:
    assert causes_of(config_map(data={"a.b_c-d": "x"}, binaryData={"e": encoded("y")})) == []
    docker = {".dockerconfigjson": encoded('{"auths":{}}')}
    assert causes_of(secret(type="kubernetes.io/dockerconfigjson", data=docker)) == []


def test_what_is_immutable_stays(causes_of: Causes) -> None:
    old = config_map(immutable=True, data={"a": "1"})
    why = "Forbidden: field is immutable when `immutable` is set"
    assert causes_of(config_map(immutable=True, data={"a": "1"}), old) == []
    assert causes_of(config_map(data={"a": "2"}), old) == [("data", why), ("immutable", why)]
    assert causes_of(secret(data={"a": encoded("2")}), secret(immutable=True)) == [
        ("data", why),
        ("immutable", why),
    ]


def test_the_type_of_a_secret_stays(causes_of: Causes) -> None:
    assert causes_of(secret(type="x"), secret()) == [("type", 'Invalid value: "x": field is immutable')]
