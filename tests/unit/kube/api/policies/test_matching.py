"""Which requests a policy and its bindings are about."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.policies import worlds

from bookmesh.base import kubernetes
from bookmesh.kube.api import verbs
from bookmesh.kube.api.policies import definitions, matching

SPEC = {"validations": [{"expression": "true"}]}
SHOP = {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}


@pytest.mark.parametrize(
    ("constraints", "resources", "asked", "expected"),
    [
        ({}, None, {}, True),
        ({}, None, {"operation": "DELETE"}, False),
        ({}, None, {"resource": kubernetes.SECRETS}, False),
        ({"excludeResourceRules": [{**worlds.RULE, "resourceNames": ["a"]}]}, None, {}, False),
        ({"excludeResourceRules": [{**worlds.RULE, "resourceNames": ["b"]}]}, None, {}, True),
        ({"namespaceSelector": SHOP}, None, {}, False),
        ({"objectSelector": {"matchLabels": {"a": "b"}}}, None, {}, False),
        ({}, {"namespaceSelector": SHOP}, {}, False),
        ({}, {"resourceRules": [{**worlds.RULE, "resources": ["secrets"]}]}, {}, False),
        ({}, {"excludeResourceRules": [worlds.RULE]}, {}, False),
        ({}, {"objectSelector": {}}, {}, True),
    ],
)
def test_matched(over: verbs.Verbs, constraints: Any, resources: Any, asked: Any, expected: bool) -> None:
    spec = {**SPEC, "matchConstraints": {"resourceRules": [worlds.RULE], **constraints}}
    worlds.lay_down(over, spec, binding={"matchResources": resources} if resources else {})
    (policy,) = definitions.Definitions(over.store, definitions.VALIDATING).policies()
    found = list(matching.invocations(over.store, over.kinds, policy, worlds.request(**asked)))
    assert found == ([(policy.bindings[0], kubernetes.CONFIG_MAPS)] if expected else [])
