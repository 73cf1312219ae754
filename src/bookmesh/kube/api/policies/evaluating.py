"""What the expressions of a policy see of one request, and their values."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.api import admission, authorization, consulting
from bookmesh.kube.api.policies import definitions
from bookmesh.kube.api.webhooks import reviews
from bookmesh.kube.schema.expressions import expression


class Scope:
    """One policy about one request with one parameter. What `variables` has is evaluated when it is first asked for."""

    def __init__(
        self,
        policy: definitions.Policy,
        request: admission.AdmissionRequest,
        resource: Resource,
        *,
        parameter: JsonObject | None,
        namespace: JsonObject | None,
        authorizer: authorization.Authorizer,
    ) -> None:
        """`resource` is the one as which the policy wants to hear of the request."""
        asked = reviews.question(request, resource)
        self._policy = policy
        self._seen: dict[str, Any] = {
            "object": asked.pop("object"),
            "oldObject": asked.pop("oldObject"),
            "request": asked,
            "params": parameter,
            "namespaceObject": namespace,
            "authorizer": consulting.variable_for(request),
        }
        self._variables: dict[str, Any] = {}
        self._functions = consulting.functions_for(authorizer, request)

    def evaluate(self, wanted: expression.Expression) -> Any:
        """Return the value; raises `expression.EvaluationError`."""
        seen = {name: self._seen[name] for name in wanted.names if name in self._seen}
        if "variables" in wanted.names:
            seen["variables"] = {name: self._variable(name) for name in wanted.fields_of("variables")}
        return wanted.evaluate(seen, self._functions)

    def _variable(self, name: str) -> Any:
        if name not in self._variables:
            try:
                self._variables[name] = self.evaluate(self._policy.variables[name])
            except expression.EvaluationError as error:
                why = f'composited variable "{name}" fails to evaluate: {error}'
                raise expression.EvaluationError(why) from error
        return self._variables[name]

    def is_met(self) -> bool:
        """Whether every match condition holds; raises `expression.EvaluationError` when one fails and none is false."""
        failures: list[str] = []
        for condition in self._policy.conditions:
            try:
                if self.evaluate(condition) is not True:
                    return False
            except expression.EvaluationError as error:
                failures.append(failure(condition, error))
        if failures:
            raise expression.EvaluationError("; ".join(failures))
        return True


def failure(what: expression.Expression, error: expression.EvaluationError) -> str:
    """Say that an expression could not be evaluated."""
    return f"expression '{what.text}' resulted in error: {error}"
