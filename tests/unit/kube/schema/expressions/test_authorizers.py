"""Questions to whoever decides what a user may do."""

from __future__ import annotations

import pytest

from bookmesh.kube.schema.expressions import authorizers, expression


def test_questions_to_an_authorizer() -> None:
    asked: list[authorizers.Question] = []

    def answer(question: authorizers.Question) -> tuple[bool, str]:
        asked.append(question)
        return question.verb == "get", "because"

    variables = {"authorizer": authorizers.of_request("apps", "deployments", "", "default", "web")}
    for text, outcome in (
        ("authorizer.requestResource.check('get').allowed()", True),
        ("authorizer.group('').resource('pods').namespace('x').name('y').check('delete').allowed()", False),
        ("authorizer.serviceAccount('a', 'b').path('/x').check('get').reason() == 'because'", True),
    ):
        compiled = expression.compile_expression(text, frozenset(variables))
        assert compiled.evaluate(variables, authorizers.answering(answer)) is outcome
    assert asked == [
        authorizers.Question(None, "get", "apps", "deployments", "", "default", "web", ""),
        authorizers.Question(None, "delete", "", "pods", "", "x", "y", ""),
        authorizers.Question("system:serviceaccount:a:b", "get", "", "", "", "", "", "/x"),
    ]


def test_without_anybody_to_ask_a_question_fails() -> None:
    compiled = expression.compile_expression("a.path('/').check('get').allowed()", frozenset({"a"}))
    with pytest.raises(expression.EvaluationError, match="nobody decides here"):
        compiled.evaluate({"a": dict(authorizers.AUTHORIZER)})
