from __future__ import annotations

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.mesh.control import reporting

REVIEWS = ObjectRef("VirtualService", "reviews", "default")
MISSING = Finding(
    code="BM0203",
    message='routes to subset "v4"',
    subject=REVIEWS,
    where="spec.http[0]",
    known="v1",
    hint="add it",
)
IGNORED = Finding(code="BM0205", message="is not acted on", subject=REVIEWS, severity="warning")
NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T04:00:00Z"


def status(findings, current=None, now=NOW):
    return reporting.build_status(findings, current or {}, generation=3, now=now)


def test_an_error_makes_the_condition_false_and_is_listed():
    built = status([MISSING])
    assert built["conditions"] == [
        {
            "type": "Reconciled",
            "status": "False",
            "reason": "MissingSubset",
            "message": '[BM0203] routes to subset "v4"',
            "lastTransitionTime": NOW,
        }
    ]
    assert built["validationMessages"] == [
        {
            "type": {"code": "BM0203", "name": "MissingSubset"},
            "level": "ERROR",
            "message": 'routes to subset "v4"',
            "where": "spec.http[0]",
            "known": "v1",
            "hint": "add it",
        }
    ]
    assert built["observedGeneration"] == 3


def test_a_warning_leaves_the_condition_true():
    built = status([IGNORED])
    assert built["conditions"][0]["status"] == "True"
    assert built["validationMessages"][0]["level"] == "WARNING"


def test_several_errors_are_counted():
    assert status([MISSING, MISSING])["conditions"][0]["message"].endswith("(and 1 more)")


def test_nothing_is_written_twice():
    assert status([MISSING], status([MISSING]), now=LATER) is None


def test_a_status_follows_the_generation_when_nothing_else_has_changed():
    before = status([], status([MISSING]))
    after = reporting.build_status([], before, generation=4, now=LATER)
    assert after == {**before, "observedGeneration": 4}


def test_an_object_without_findings_gets_no_status():
    assert status([]) is None


def test_a_mended_object_is_cleared_once():
    built = status([], status([MISSING]), now=LATER)
    assert built["validationMessages"] == []
    assert built["conditions"][0]["status"] == "True"
    assert built["conditions"][0]["lastTransitionTime"] == LATER
    assert status([], built) is None


def test_another_error_keeps_the_time_of_the_transition():
    other = Finding(code="BM0202", message="no such host", subject=REVIEWS)
    built = status([other], status([MISSING]), now=LATER)
    assert built["conditions"][0]["reason"] == "MissingHost"
    assert built["conditions"][0]["lastTransitionTime"] == NOW


def test_conditions_of_others_stay():
    current = {"conditions": [{"type": "Programmed", "status": "True"}]}
    assert status([MISSING], current)["conditions"][0] == {"type": "Programmed", "status": "True"}


def test_an_event_names_object_reason_and_text_and_is_the_same_each_time():
    subject = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "reviews", "namespace": "default", "uid": "u1", "resourceVersion": "7"},
    }
    event = reporting.build_event(MISSING, subject, now=NOW)
    assert event["reason"] == "MissingSubset"
    assert event["type"] == "Warning"
    assert event["involvedObject"]["uid"] == "u1"
    assert event["message"] == '[BM0203] routes to subset "v4"; known: v1; hint: add it'
    assert reporting.build_event(MISSING, subject, now=LATER)["metadata"] == event["metadata"]


def test_findings_without_an_object_are_about_none():
    assert reporting.by_subject([Finding(code="BM0206", message="x"), MISSING]) == {REVIEWS: [MISSING]}


def test_an_unknown_code_still_has_a_reason():
    assert reporting.reason_for(Finding(code="BM0299", message="x")) == "Finding"
