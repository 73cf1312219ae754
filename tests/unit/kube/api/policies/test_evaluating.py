"""What expressions of a policy see."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.policies import worlds

from bookmesh.base import kubernetes
from bookmesh.kube.api import authorization, verbs
from bookmesh.kube.api.policies import definitions, evaluating
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.schema.semantics import admission_policies


def scope(over: verbs.Verbs, **spec: Any) -> evaluating.Scope:
    worlds.lay_down(over, {"validations": [{"expression": "true"}], **spec})
    (policy,) = definitions.Definitions(over.store, definitions.VALIDATING).policies()
    return evaluating.Scope(
        policy,
        worlds.request(),
        kubernetes.CONFIG_MAPS,
        parameter={"data": {"most": "5"}},
        namespace={"metadata": {"name": "default"}},
        authorizer=authorization.Authorizer(over.store),
    )


def compiled(text: str) -> expression.Expression:
    return expression.compile_expression(text, admission_policies.VARIABLES)


@pytest.mark.parametrize(
    "text",
    [
        "object.metadata.name == 'a' && oldObject == null",
        "request.operation == 'CREATE' && request.userInfo.username == 'ann' && !has(request.object)",
        "int(object.data.size) > int(params.data.most)",
        "namespaceObject.metadata.name == request.namespace",
        "!authorizer.requestResource.check('create').allowed()",
    ],
)
def test_true(over: verbs.Verbs, text: str) -> None:
    assert scope(over).evaluate(compiled(text)) is True


def test_variables_are_made_of_those_before_them(over: verbs.Verbs) -> None:
    variables = [
        {"name": "size", "expression": "int(object.data.size)"},
        {"name": "twice", "expression": "variables.size * 2"},
        {"name": "broken", "expression": "object.data.nothing"},
    ]
    seen = scope(over, variables=variables)
    assert seen.evaluate(compiled("variables.twice + variables.size")) == 21
    with pytest.raises(expression.EvaluationError, match=r'variable "broken" fails .* no such key: nothing'):
        seen.evaluate(compiled("variables.broken == ''"))


@pytest.mark.parametrize(
    ("texts", "expected"), [(["true", "1 == 1"], True), (["object.x == 1", "false"], False)]
)
def test_conditions(over: verbs.Verbs, texts: list[str], expected: bool) -> None:
    conditions = [{"name": f"c{index}", "expression": text} for index, text in enumerate(texts)]
    assert scope(over, matchConditions=conditions).is_met() is expected


def test_a_condition_that_breaks(over: verbs.Verbs) -> None:
    seen = scope(over, matchConditions=[{"name": "a", "expression": "object.x == 1"}])
    with pytest.raises(expression.EvaluationError, match=r"expression 'object\.x == 1' resulted in error"):
        seen.is_met()
