"""A configuration merged into an object."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema import nodes, schemas
from bookmesh.kube.schema.ownership import merging, typed


@pytest.fixture
def pod(loaded: schemas.Schemas) -> nodes.Node:
    return loaded.definition("io.k8s.api.core.v1.PodSpec")


def named(*names: str, **fields: Any) -> dict[str, Any]:
    return {"containers": [{"name": name, **fields} for name in names]}


def names_of(spec: dict[str, Any]) -> str:
    return "".join(each["name"] for each in spec["containers"])


def test_values_of_the_configuration_win_and_others_stay(pod: nodes.Node) -> None:
    live = {"hostname": "a", **named("x", image="old", tty=True)}
    merged = merging.merge(pod, live, {"dnsPolicy": "None", **named("x", image="new")})
    assert merged == {
        "hostname": "a",
        "dnsPolicy": "None",
        "containers": [{"name": "x", "image": "new", "tty": True}],
    }
    assert live["containers"][0]["image"] == "old"


def test_atomic_values_are_replaced(pod: nodes.Node) -> None:
    live = {"tolerations": [{"key": "a"}], "nodeSelector": {"a": "1"}}
    wanted = {"tolerations": [{"key": "b"}], "nodeSelector": {"b": "1"}}
    assert merging.merge(pod, live, wanted) == wanted


@pytest.mark.parametrize(
    ("live", "wanted", "merged"),
    [
        ("", "ab", "ab"),
        ("ab", "", "ab"),
        ("ab", "ba", "ba"),
        ("ab", "ca", "cab"),
        ("ab", "ac", "abc"),
        ("ab", "c", "abc"),
        ("abc", "cb", "acb"),
        ("abcd", "dxa", "bcdxa"),
    ],
)
def test_order_of_elements(pod: nodes.Node, live: str, wanted: str, merged: str) -> None:
    assert names_of(merging.merge(pod, named(*live), named(*wanted))) == merged


def test_a_configuration_may_not_have_an_element_twice(pod: nodes.Node) -> None:
    with pytest.raises(typed.ElementError, match=r'duplicate entries for key \[{"name":"a"}\]'):
        merging.merge(pod, {}, named("a", "a"))


def test_open_maps_are_merged_and_open_lists_replaced() -> None:
    merged = merging.merge(typed.OPEN, {"a": {"b": 1}, "l": [1]}, {"a": {"c": 2}, "l": [2]})
    assert merged == {"a": {"b": 1, "c": 2}, "l": [2]}
