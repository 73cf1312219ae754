from __future__ import annotations

from typing import Any

import pytest

from bookmesh.cli.istioctl import analysis_messages

RULE = {
    "spec": {
        "gateways": ["nowhere"],
        "http": [{"route": [{"destination": {"host": "ratings", "subset": "v9"}}]}],
        "selector": {"istio": "nobody"},
    }
}
PATH = "spec.http[0].route[0].destination"


def finding(
    code: str, where: str = "", message: str = "wrong", known: str = "", **fields: Any
) -> dict[str, Any]:
    subject = {"kind": "VirtualService", "name": "bad", "namespace": "default"}
    return {
        "code": code,
        "where": where,
        "message": message,
        "known": known,
        "subject": subject,
        "severity": "error",
    } | fields


@pytest.mark.parametrize(
    ("found", "code", "text"),
    [
        (finding("BM0202", f"{PATH}.host"), "IST0101", 'Referenced host not found: "ratings"'),
        (
            finding("BM0203", f"{PATH}.subset"),
            "IST0101",
            'Referenced host+subset in destinationrule not found: "ratings+v9"',
        ),
        (finding("BM0204", "spec.gateways[0]"), "IST0101", 'Referenced gateway not found: "nowhere"'),
        (finding("BM0208", "spec.selector"), "IST0101", 'Referenced selector not found: "istio=nobody"'),
        (finding("BM0204", "spec.gone[7]", 'names "x"'), "IST0101", 'Referenced gateway not found: "x"'),
        (
            finding("BM0209", message='needs secret "gone"'),
            "IST0101",
            'Referenced credentialName not found: "gone"',
        ),
        (
            finding("BM0211", "spec.http[0]", message='hands on to "a/b"'),
            "IST0101",
            'Referenced delegate not found: "a/b"',
        ),
        (finding("BM0210"), "IST0106", "Schema validation error: wrong"),
        (finding("BM0201"), "IST0106", "Schema validation error: wrong"),
        (finding("BM0205"), "IST0133", "Schema validation warning: wrong"),
        (finding("BM0206"), "IST0001", "Internal error: wrong"),
        (finding("BM0102"), "BM0102", "wrong"),
    ],
)
def test_findings_get_istios_codes(found: dict[str, Any], code: str, text: str) -> None:
    objects = dict.fromkeys(analysis_messages.objects_needed([found]), RULE)
    (message,) = analysis_messages.from_findings([found], objects)
    assert (message.code, message.text, message.origin) == (code, text, "VirtualService default/bad")


def test_two_claims_to_one_host_name_both() -> None:
    message = "VirtualService default/bad has no effect on a.b in sidecars: it is older"
    (said,) = analysis_messages.from_findings(
        [finding("BM0207", message=message, known="VirtualService default/a")], {}
    )
    assert said.code == "IST0109"
    assert (
        "VirtualServices default/a,default/bad associated with mesh gateway define the same host a.b"
        in said.text
    )


def test_a_finding_about_nothing_in_particular() -> None:
    (said,) = analysis_messages.from_findings([finding("BM0102", subject=None)], {})
    assert said.origin == "Mesh bookmesh"
    assert not said.is_about("default")


def test_namespaces_without_a_word_and_pods_without_proxy() -> None:
    namespaces = [
        {"metadata": {"name": "a"}},
        {"metadata": {"name": "b", "labels": {"istio-injection": "enabled"}}},
        {"metadata": {"name": "c", "labels": {"istio-injection": "disabled"}}},
        {"metadata": {"name": "kube-system"}},
    ]
    pods = [
        {"metadata": {"name": "old", "namespace": "b"}},
        {"metadata": {"name": "out", "namespace": "b", "labels": {"sidecar.istio.io/inject": "false"}}},
        {"metadata": {"name": "in", "namespace": "b", "annotations": {"sidecar.istio.io/status": "{}"}}},
        {"metadata": {"name": "free", "namespace": "a"}},
    ]
    said = [(each.code, each.origin) for each in analysis_messages.from_injection(namespaces, pods)]
    assert said == [("IST0102", "Namespace a"), ("IST0103", "Pod b/old")]
