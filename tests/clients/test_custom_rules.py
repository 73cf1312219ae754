"""Rules of custom kinds, printer columns and fields to select by, as kubectl shows them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.clients.conftest import Cluster

SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "maximum": 9},
        "most": {"type": "integer", "default": 5},
        "color": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "color cannot change"}],
        },
    },
    "x-kubernetes-validations": [
        {
            "rule": "self.size <= self.most",
            "messageExpression": "'size %d is more than %d'.format([self.size, self.most])",
            "fieldPath": ".size",
        }
    ],
}


def definition(spec: dict[str, Any]) -> str:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
        "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
        "selectableFields": [{"jsonPath": ".spec.color"}],
    }
    names = {"kind": "Hat", "plural": "hats", "shortNames": ["ht"]}
    content = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return yaml.safe_dump(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "hats.example.com"},
            "spec": content,
        }
    )


def hat(name: str = "a", **spec: Any) -> str:
    return yaml.safe_dump(
        {"apiVersion": "example.com/v1", "kind": "Hat", "metadata": {"name": name}, "spec": spec}
    )


@pytest.fixture
async def hats(cluster: Cluster) -> Cluster:
    await cluster.ok("apply", "-f", "-", stdin=definition(SPEC))
    return cluster


async def test_a_rule_refuses_in_its_own_words(hats: Cluster) -> None:
    assert await hats.fails("create", "-f", "-", stdin=hat(size=7)) == (
        'The Hat "a" is invalid: spec.size: Invalid value: "object": size 7 is more than 5\n'
    )
    await hats.ok("create", "-f", "-", stdin=hat(size=7, most=8))


async def test_a_rule_about_changes_refuses_a_change(hats: Cluster) -> None:
    await hats.ok("apply", "-f", "-", stdin=hat(size=1, color="red"))
    text = await hats.fails("apply", "-f", "-", stdin=hat(size=1, color="blue"))
    assert 'The Hat "a" is invalid: spec.color: Invalid value: "string": color cannot change' in text
    await hats.ok("apply", "-f", "-", stdin=hat(size=2, color="red"))


async def test_what_the_schema_refuses_comes_first(hats: Cluster) -> None:
    text = await hats.fails("create", "-f", "-", stdin=hat(color="red"))
    assert "* spec.size: Required value" in text
    assert '* <nil>: Invalid value: "null": some validation rules were not checked' in text


async def test_an_older_object_may_break_a_newer_rule(hats: Cluster) -> None:
    await hats.ok("create", "-f", "-", stdin=hat(size=3))
    stricter = {**SPEC, "x-kubernetes-validations": [{"rule": "self.size < 2", "message": "too big"}]}
    await hats.ok("apply", "-f", "-", stdin=definition(stricter))
    result = await hats.kubectl("label", "hat", "a", "x=y")
    assert (result.code, result.err) == (0, 'Warning: spec: Invalid value: "object": too big\n')
    assert "too big" in await hats.fails("patch", "hat", "a", "--type=merge", '-p={"spec":{"size":4}}')


async def test_a_definition_with_a_rule_that_is_none_is_refused(cluster: Cluster) -> None:
    broken = {**SPEC, "x-kubernetes-validations": [{"rule": "self.size <"}]}
    text = await cluster.fails("apply", "-f", "-", stdin=definition(broken))
    assert "openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value" in text
    assert "compilation failed: ERROR: <input>:1:12: Syntax error" in text


async def test_a_misspelt_field_is_told_when_the_definition_is_written(cluster: Cluster) -> None:
    misspelt = {**SPEC, "x-kubernetes-validations": [{"rule": "self.sise < 3"}]}
    text = await cluster.fails("apply", "-f", "-", stdin=definition(misspelt))
    assert "compilation failed: ERROR: <input>:1:5: undefined field 'sise'" in text


async def test_a_rule_about_fields_that_may_be_missing(cluster: Cluster) -> None:
    rule = {"rule": "self.?color.orValue('red') == 'red'", "message": "hats are red"}
    await cluster.ok("apply", "-f", "-", stdin=definition({**SPEC, "x-kubernetes-validations": [rule]}))
    await cluster.ok("create", "-f", "-", stdin=hat(size=1))
    assert "hats are red" in await cluster.fails("create", "-f", "-", stdin=hat("b", size=1, color="blue"))


async def test_columns_and_fields_to_select_by(hats: Cluster) -> None:
    for name, color in (("a", "red"), ("b", "blue")):
        await hats.ok("create", "-f", "-", stdin=hat(name, size=1, color=color))
    table = await hats.ok("get", "ht", "--field-selector=spec.color=blue")
    assert [line.split() for line in table.splitlines()] == [["NAME", "SIZE"], ["b", "1"]]
    text = await hats.fails("get", "hats", "--field-selector=spec.size=1")
    assert "field label not supported: spec.size" in text
