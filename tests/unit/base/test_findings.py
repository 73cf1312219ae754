from __future__ import annotations

from typing import Literal

import pytest

from bookmesh.base import findings, messages

FINDING = findings.Finding(
    code="BM0203",
    message='VirtualService default/reviews routes to subset "v4", which no DestinationRule defines',
    subject=findings.ObjectRef("VirtualService", "reviews", "default"),
    where="reviews.yaml:14  spec.http[0].route[0].destination.subset",
    known="v1, v2, v3  (DestinationRule default/reviews)",
    hint="add subset v4, or route to a known one",
)


def test_a_finding_is_laid_out_in_four_parts() -> None:
    assert FINDING.render().splitlines() == [
        'error[BM0203]: VirtualService default/reviews routes to subset "v4", which no DestinationRule defines',
        "  where: reviews.yaml:14  spec.http[0].route[0].destination.subset",
        "  known: v1, v2, v3  (DestinationRule default/reviews)",
        "  hint:  add subset v4, or route to a known one",
    ]


def test_parts_that_are_empty_are_left_out() -> None:
    finding = findings.Finding(
        code="BM0103", message="there is no lab", hint="bookmesh up", severity="warning"
    )
    assert finding.render().splitlines() == ["warning[BM0103]: there is no lab", "  hint:  bookmesh up"]


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        (findings.ObjectRef("Pod", "web", "shop"), "Pod shop/web"),
        (findings.ObjectRef("Node", "node"), "Node node"),
    ],
)
def test_an_object_is_named_with_its_namespace(reference: findings.ObjectRef, text: str) -> None:
    assert str(reference) == text


def test_findings_can_be_compared_and_collected() -> None:
    assert len({FINDING, FINDING}) == 1


@pytest.mark.parametrize("exit_code", [1, 2, 3])
def test_an_error_carries_its_finding_and_exit_code(exit_code: Literal[1, 2, 3]) -> None:
    error = findings.BookmeshError(FINDING, exit_code=exit_code)
    assert (error.finding, error.exit_code, str(error)) == (FINDING, exit_code, FINDING.message)


def test_the_example_in_the_docstring_has_a_known_code() -> None:
    assert FINDING.code in messages.MESSAGES
