"""`authorizer` in expressions about a request: what they see, and who answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import admission, authentication, authorization
from bookmesh.kube.schema.expressions import authorizers


def variable_for(request: admission.AdmissionRequest) -> JsonObject:
    """The variable."""
    resource = request.resource
    return authorizers.of_request(
        resource.group, resource.plural, request.subresource, request.namespace, request.name
    )


def functions_for(
    authorizer: authorization.Authorizer, request: admission.AdmissionRequest
) -> dict[str, Callable[..., Any]]:
    """The functions that ask what who makes the request, or an account, may do."""

    def answer(question: authorizers.Question) -> tuple[bool, str]:
        user = request.user if question.account is None else _account(question.account)
        action = authorization.Action(
            question.verb,
            question.group,
            question.resource,
            question.subresource,
            question.namespace,
            question.name,
            question.path,
        )
        decision = authorizer.decide(user, action)
        return decision.is_allowed, decision.reason

    return authorizers.answering(answer)


def _account(name: str) -> authentication.User:
    return authentication.User(name, authentication.groups_of(name))
