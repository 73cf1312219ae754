"""What validating policies have noted in the audit log: what does not hold, and values of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import notes
from bookmesh.kube.api.policies import definitions, evaluating
from bookmesh.kube.schema.expressions import expression

_FAILURE = "validation.policy.admission.k8s.io/validation_failure"
_LONGEST = 10 * 1024


def note_failures(failures: Iterable[JsonObject]) -> None:
    """Note what does not hold where a binding says `Audit`."""
    if found := list(failures):
        notes.note(_FAILURE, orjson.dumps(found).decode())


def note_values(policy: str, values: Iterable[tuple[str, str]]) -> None:
    """Note the values of a policy's `auditAnnotations`, the different ones of one key together."""
    gathered: dict[str, dict[str, None]] = {}
    for key, value in values:
        gathered.setdefault(key, {})[value] = None
    for key, several in gathered.items():
        notes.note(f"{policy}/{key}", ", ".join(several))


def values_of(policy: definitions.Policy, scope: evaluating.Scope) -> Iterator[tuple[str, str]]:
    """
    Evaluate a policy's `auditAnnotations`; null and nothing are left out.

    Raises:
        EvaluationError: one cannot be evaluated, or is no string.
    """
    for key, source in policy.audit_annotations:
        try:
            value = scope.evaluate(source)
        except expression.EvaluationError as error:
            if policy.is_ignored_on_failure:
                continue
            raise expression.EvaluationError(evaluating.failure(source, error)) from error
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise expression.EvaluationError(
                f"valueExpression '{source.text}' resulted in unsupported return type: "
                f"{type(value).__name__}. Return type must be either string or null."
            )
        if trimmed := value.strip():
            yield key, trimmed[:_LONGEST]
