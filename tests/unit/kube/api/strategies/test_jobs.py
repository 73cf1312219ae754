"""Jobs select their own pods."""

from __future__ import annotations

from typing import Any

from bookmesh.kube.api.strategies import jobs

UID = "batch.kubernetes.io/controller-uid"


def job(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "load"}}, "spec": {}}
    return {"metadata": {"name": "load", "uid": "u"}, "spec": {"template": template, **spec}}


def labels_of(obj: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = obj["spec"]["template"]["metadata"]["labels"]
    return found


def test_selector_and_labels_are_filled_in() -> None:
    new = job()
    jobs.JobStrategy().prepare_create(new)
    assert new["spec"]["selector"] == {"matchLabels": {UID: "u"}}
    assert labels_of(new) == {
        "app": "load",
        UID: "u",
        "controller-uid": "u",
        "batch.kubernetes.io/job-name": "load",
        "job-name": "load",
    }


def test_a_manual_selector_is_left_alone() -> None:
    new = job(manualSelector=True, selector={"matchLabels": {"app": "load"}})
    jobs.JobStrategy().prepare_create(new)
    assert labels_of(new) == {"app": "load"}


def test_what_was_filled_in_is_kept_when_a_client_leaves_it_out() -> None:
    old = job()
    jobs.JobStrategy().prepare_create(old)
    again = job(suspend=True)
    jobs.JobStrategy().prepare_update(again, old)
    assert again["spec"]["selector"] == old["spec"]["selector"]
    assert labels_of(again) == labels_of(old)
