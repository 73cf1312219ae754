"""Bodies that are no objects are taken apart strictly."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import ApiError, Resource
from bookmesh.kube.api import questions, verbs

REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews")


def decoded(over: verbs.Verbs, body: Any) -> dict[str, Any]:
    return questions.decode(over.schemas, over.kind_of(REVIEWS), body)


def test_fields_that_the_kind_has_not_are_dropped(over: verbs.Verbs) -> None:
    assert decoded(over, {"spec": {"token": "a", "more": 1}}) == {"spec": {"token": "a"}}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ([], "is not a TokenReview object"),
        ({"kind": "Pod", "apiVersion": "v1"}, "Pod in version 'v1' cannot be handled as a TokenReview"),
        ({"spec": {"token": ["a"]}}, "spec.token: Invalid value"),
        ({"spec": 1}, "must be of type object"),
        ({"spec": {"token": "\ud800"}}, "cannot be written as JSON"),
    ],
)
def test_what_is_no_such_question_is_refused(over: verbs.Verbs, body: Any, why: str) -> None:
    with pytest.raises(ApiError, match=why) as refused:
        decoded(over, body)
    assert refused.value.code == 400
