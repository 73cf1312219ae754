"""What makes no sense in the options of a request, in a real server's words."""

from __future__ import annotations

import pytest
from multidict import MultiDict
from yarl import URL

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import option_rules

LONG = "x" * 129
EVENTS = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden"


def query(text: str) -> MultiDict[str]:
    return MultiDict(URL("/?" + text).query)


def invalid(kind: str, *wrong: str) -> str:
    joined = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
    return f'{kind}.meta.k8s.io "" is invalid: {joined}'


@pytest.mark.parametrize(
    ("method", "text", "message"),
    [
        (
            "POST",
            "dryRun=All&dryRun=some",
            invalid(
                "CreateOptions", 'dryRun: Unsupported value: []string{"All", "some"}: supported values: "All"'
            ),
        ),
        (
            "PUT",
            "fieldValidation=maybe",
            invalid(
                "UpdateOptions",
                'fieldValidation: Unsupported value: "maybe": supported values: "", "Ignore", "Strict", "Warn"',
            ),
        ),
        (
            "PATCH",
            "force=false",
            invalid("PatchOptions", "force: Forbidden: may not be specified for non-apply patch"),
        ),
        (
            "POST",
            f"fieldManager={LONG}",
            invalid("CreateOptions", "fieldManager: Too long: may not be more than 128 bytes"),
        ),
        (
            "POST",
            "fieldManager=%C3%A9%07",
            invalid(
                "CreateOptions",
                'fieldManager: Invalid value: "é\\u0007": invalid character U+0007 (at position 2)',
            ),
        ),
    ],
)
def test_writes(method: str, text: str, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        option_rules.check_write(query(text), method)
    assert (refusal.value.code, refusal.value.message) == (422, message)


def test_an_apply_says_by_whom_and_may_be_forced() -> None:
    option_rules.check_write(query("fieldManager=me&force=true"), "PATCH", is_apply=True)
    with pytest.raises(ApiError) as refusal:
        option_rules.check_write(query("dryRun=x"), "PATCH", is_apply=True)
    fields = [cause["field"] for cause in (refusal.value.details or {})["causes"]]
    assert fields == ["fieldManager", "dryRun"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("resourceVersionMatch=Exact", [f"{EVENTS} unless resourceVersion is provided"]),
        (
            "resourceVersionMatch=Exact&resourceVersion=5&continue=x",
            [f"{EVENTS} when continue is provided"],
        ),
        (
            "resourceVersionMatch=Exact&resourceVersion=0",
            [
                'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
            ],
        ),
        (
            "resourceVersionMatch=About&resourceVersion=0&sendInitialEvents=true",
            [
                'resourceVersionMatch: Unsupported value: "About": supported values: "Exact", "NotOlderThan", ""',
                "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
            ],
        ),
    ],
)
def test_lists(text: str, wrong: list[str]) -> None:
    with pytest.raises(ApiError) as refusal:
        option_rules.check_list(query(text))
    assert refusal.value.message == invalid("ListOptions", *wrong)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            {"propagationPolicy": "Orphan", "orphanDependents": False},
            422,
            invalid(
                "DeleteOptions",
                'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be '
                "both set",
            ),
        ),
        (
            {"propagationPolicy": "Never"},
            422,
            invalid(
                "DeleteOptions",
                'propagationPolicy: Unsupported value: "Never": supported values: "Foreground", "Background", '
                '"Orphan", "nil"',
            ),
        ),
        (
            {"dryRun": ["x"]},
            422,
            invalid("DeleteOptions", 'dryRun: Unsupported value: []string{"x"}: supported values: "All"'),
        ),
        (
            {"dryRun": "All"},
            400,
            "json: cannot unmarshal string into Go struct field DeleteOptions.dryRun of type []string",
        ),
        (
            {"gracePeriodSeconds": True},
            400,
            "json: cannot unmarshal boolean into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
        ),
        ({"preconditions": {"uid": 1}}, 400, "json: cannot unmarshal integer into Go value of type string"),
        ({"kind": "Pod", "apiVersion": "v1"}, 400, 'no kind "Pod" is registered for version "v1"'),
    ],
)
def test_deletions(options: JsonObject, code: int, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        option_rules.check_delete(options)
    assert (refusal.value.code, refusal.value.message) == (code, message)


def test_what_rows_carry() -> None:
    assert option_rules.included(query("")) == "Metadata"
    assert option_rules.included(query("includeObject=None")) == "None"
    with pytest.raises(ApiError, match="must be 'Metadata', 'Object', 'None', or empty"):
        option_rules.included(query("includeObject=All"))
