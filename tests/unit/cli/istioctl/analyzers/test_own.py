from __future__ import annotations

from typing import Any

import pytest
import yaml

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.cli.istioctl.analyzers import own
from bookmesh.cli.istioctl.analyzers.objects import Objects

BAD = ObjectRef("VirtualService", "bad", "default")
RULE: dict[str, Any] = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "bad", "namespace": "default"},
    "spec": {
        "gateways": ["nowhere"],
        "http": [{"route": [{"destination": {"host": "ratings", "subset": "v9"}}]}],
        "selector": {"istio": "nobody"},
    },
}
PATH = "spec.http[0].route[0].destination"


def finding(code: str, where: str = "", message: str = "wrong", **fields: Any) -> Finding:
    return Finding(**{"code": code, "where": where, "message": message, "subject": BAD, **fields})


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
def test_findings_get_istios_codes(found: Finding, code: str, text: str) -> None:
    (message,) = own.from_findings([found], Objects([RULE]))
    assert (message.code, message.text, message.origin) == (code, text, "VirtualService default/bad")
    assert message.path == found.where


def test_two_claims_to_one_host_name_both() -> None:
    message = "VirtualService default/bad has no effect on a.b in sidecars: it is older"
    found = finding("BM0207", message=message, known="VirtualService default/a")
    said, other = own.from_findings([found], Objects(()))
    assert (said.code, said.origin) == ("IST0109", "VirtualService default/bad")
    assert (other.code, other.origin, other.text) == ("IST0109", "VirtualService default/a", said.text)
    both = "VirtualServices default/a,default/bad associated with mesh gateway define the same host a.b"
    assert both in said.text


def test_a_finding_about_nothing_in_particular() -> None:
    (said,) = own.from_findings([finding("BM0102", subject=None)], Objects(()))
    assert said.origin == "Mesh bookmesh"
    assert not said.is_about("default")


NEVER_APPLIED = """
apiVersion: v1
kind: Service
metadata: {name: ratings}
spec: {selector: {app: ratings}, ports: [{name: http, port: 9080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gw}
spec: {template: {metadata: {labels: {istio: own}}}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: own}
spec: {selector: {istio: own}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings}
spec: {hosts: [ratings], gateways: [own, mesh], http: [{route: [{destination: {host: ratings, subset: SUBSET}}]}]}
"""


def objects(text: str) -> Objects:
    return Objects(each for each in yaml.safe_load_all(text) if each)


def test_objects_that_were_never_applied_are_analyzed_as_if() -> None:
    (said,) = own.check(objects(NEVER_APPLIED.replace("SUBSET", "v9")))
    assert (said.code, said.path) == ("IST0101", f"{PATH}.subset")
    assert list(own.check(objects(NEVER_APPLIED.replace(", subset: SUBSET", "")))) == []


def test_a_mesh_configuration_is_read_as_well() -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": "- no mapping"},
    }
    (said,) = own.check(Objects([config]))
    assert (said.level, said.code, said.origin) == ("Error", "IST0106", "ConfigMap istio-system/istio")


def test_a_path_that_is_not_there() -> None:
    assert own.value_at(RULE, "spec.http[0].route[3]") is None
    assert own.value_at(RULE, "spec.gateways[0]") == "nowhere"
