"""Validating policies: what they find is refused, or told, as their bindings say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.api import admission, authorization
from bookmesh.kube.api.policies import definitions, evaluating, matching, noting, parameters
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_NAMESPACES: Final = records.GroupResource("", "namespaces")
_CODES: Final = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413}
_INVALID: Final = 422
_LONGEST_MESSAGE: Final = 5 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold; `is_denied` whatever the binding says, for what could not even be evaluated."""

    policy: str
    binding: definitions.Binding
    message: str
    reason: str = "Invalid"
    index: int = 0
    is_denied: bool = False

    @property
    def actions(self) -> list[str]:
        return ["Deny"] if self.is_denied else self.binding.spec.get("validationActions") or []


class ValidatingPolicies:
    """The validating policies in the store."""

    def __init__(self, store: stores.Store, kinds: kinds_module.Kinds) -> None:
        self._store, self._kinds = store, kinds
        self._definitions = definitions.Definitions(store, definitions.VALIDATING)
        self._authorizer = authorization.Authorizer(store)

    def validate(self, request: admission.AdmissionRequest) -> tuple[str, ...]:
        """Evaluate every policy about a request; returns warnings. Raises `ApiError` for the first refusal."""
        policies = self._definitions.policies()
        found = [each for policy in policies for each in self._findings(policy, request)]
        noting.note_failures(
            {
                "message": each.message,
                "policy": each.policy,
                "binding": each.binding.name,
                "expressionIndex": each.index,
                "validationActions": each.actions,
            }
            for each in found
            if "Audit" in each.actions
        )
        for each in found:
            if "Deny" in each.actions:
                raise _denial(request, each)
        warned = (
            f"Validation failed for ValidatingAdmissionPolicy '{each.policy}' with binding "
            f"'{each.binding.name}': {each.message}"
            for each in found
            if "Warn" in each.actions
        )
        return tuple(dict.fromkeys(warned))

    def _findings(self, policy: definitions.Policy, request: admission.AdmissionRequest) -> Iterator[Finding]:
        values: list[tuple[str, str]] = []
        for binding, resource in matching.invocations(self._store, self._kinds, policy, request):
            try:
                found = parameters.find(self._store, self._kinds, policy, binding, request.namespace)
            except parameters.ConfigurationError as error:
                if not policy.is_ignored_on_failure:
                    why = f"failed to configure binding: {error}"
                    yield Finding(policy.name, binding, why, is_denied=True)
                continue
            for parameter in found:
                scope = scope_for(
                    self._store, self._authorizer, policy, request, resource, parameter=parameter
                )
                for index, message, reason in _failing(policy, scope):
                    yield Finding(policy.name, binding, message, reason, index)
                try:
                    values += _values(policy, scope)
                except expression.EvaluationError as error:
                    yield Finding(policy.name, binding, str(error), is_denied=True)
        noting.note_values(policy.name, values)


def scope_for(
    store: stores.Store,
    authorizer: authorization.Authorizer,
    policy: definitions.Policy,
    request: admission.AdmissionRequest,
    resource: Resource,
    *,
    parameter: JsonObject | None,
) -> evaluating.Scope:
    """What the expressions of a policy see."""
    stored = store.get(_NAMESPACES, "", request.namespace) if request.namespace else None
    return evaluating.Scope(
        policy,
        request,
        resource,
        parameter=parameter,
        namespace=stored.object if stored else None,
        authorizer=authorizer,
    )


def _values(policy: definitions.Policy, scope: evaluating.Scope) -> list[tuple[str, str]]:
    """What a policy wants to be noted; raises `expression.EvaluationError`."""
    if not policy.audit_annotations:
        return []
    try:
        if not scope.is_met():
            return []
    except expression.EvaluationError:
        return []  # told as a finding already, or ignored
    return list(noting.values_of(policy, scope))


def _failing(policy: definitions.Policy, scope: evaluating.Scope) -> Iterator[tuple[int, str, str]]:
    """Numbers, messages and reasons of what does not hold."""
    try:
        if not scope.is_met():
            return
    except expression.EvaluationError as error:
        if not policy.is_ignored_on_failure:
            yield 0, str(error), "Invalid"
        return
    for index, validation in enumerate(policy.validations):
        try:
            if scope.evaluate(validation.test) is not True:
                yield index, _message(validation, scope), validation.reason
        except expression.EvaluationError as error:
            if not policy.is_ignored_on_failure:
                yield index, evaluating.failure(validation.test, error), "Invalid"


def _message(validation: definitions.Validation, scope: evaluating.Scope) -> str:
    """What `messageExpression` makes, if that is one line of a sensible length; else the message."""
    if validation.message_expression is not None:
        try:
            made = scope.evaluate(validation.message_expression)
        except expression.EvaluationError:
            made = ""
        text = made.strip() if isinstance(made, str) else ""
        if text and "\n" not in text and len(text) <= _LONGEST_MESSAGE:
            return text
    return validation.message or f"failed expression: {validation.test.text}"


def _denial(request: admission.AdmissionRequest, found: Finding) -> ApiError:
    message = (
        f"ValidatingAdmissionPolicy '{found.policy}' with binding '{found.binding.name}' "
        f"denied request: {found.message}"
    )
    return refusal(request, message, message, reason=found.reason)


def refusal(request: admission.AdmissionRequest, text: str, cause: str, *, reason: str) -> ApiError:
    """A refusal by a policy."""
    resource = request.resource
    return ApiError(
        _CODES.get(reason, _INVALID),
        reason,
        f'{resource.qualified} "{request.name}" is forbidden: {text}',
        details={
            "name": request.name,
            "group": resource.group,
            "kind": resource.plural,
            "causes": [{"message": cause}],
        },
    )
