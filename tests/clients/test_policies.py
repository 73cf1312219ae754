"""Admission policies, as kubectl meets them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.clients.conftest import Cluster

RULES = [
    {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["deployments"],
    }
]
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: httpbin}]}
"""


def documents(*objects: dict[str, Any]) -> str:
    return yaml.safe_dump_all({"apiVersion": "admissionregistration.k8s.io/v1", **each} for each in objects)


def policy(spec: dict[str, Any], *, kind: str = "Validating", **binding: Any) -> str:
    bound: dict[str, Any] = {"policyName": "few", **binding}
    if kind == "Validating":
        bound = {"validationActions": ["Deny"], **bound}
    return documents(
        {
            "kind": f"{kind}AdmissionPolicy",
            "metadata": {"name": "few"},
            "spec": {"matchConstraints": {"resourceRules": RULES}, **spec},
        },
        {"kind": f"{kind}AdmissionPolicyBinding", "metadata": {"name": "here"}, "spec": bound},
    )


FEW = {"validations": [{"expression": "object.spec.replicas <= 5"}]}
DENIED = "ValidatingAdmissionPolicy 'few' with binding 'here' denied request: "


async def test_a_policy_refuses_in_a_real_servers_words(cluster: Cluster) -> None:
    await cluster.ok("apply", "-f", "-", stdin=policy(FEW))
    assert await cluster.fails("apply", "-f", "-", stdin=DEPLOYMENT % 6) == (
        f'The deployments "web" is invalid: : {DENIED}failed expression: object.spec.replicas <= 5\n'
    )
    await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT % 5)
    await cluster.ok("delete", "validatingadmissionpolicybinding", "here")
    await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT % 6)


async def test_reasons_messages_and_variables(cluster: Cluster) -> None:
    spec = {
        "variables": [
            {"name": "wanted", "expression": "object.spec.replicas"},
            {"name": "most", "expression": "variables.wanted > 3 ? 3 : 9"},
        ],
        "validations": [
            {
                "expression": "variables.wanted <= variables.most",
                "messageExpression": "'%d is more than %d'.format([variables.wanted, variables.most])",
                "reason": "Forbidden",
            }
        ],
    }
    await cluster.ok("apply", "-f", "-", stdin=policy(spec))
    text = await cluster.fails("apply", "-f", "-", stdin=DEPLOYMENT % 4)
    assert "Error from server (Forbidden)" in text
    assert f'deployments.apps "web" is forbidden: {DENIED}4 is more than 3' in text


async def test_warnings_go_through(cluster: Cluster) -> None:
    await cluster.ok("apply", "-f", "-", stdin=policy(FEW, validationActions=["Warn", "Audit"]))
    result = await cluster.kubectl("apply", "-f", "-", stdin=DEPLOYMENT % 6)
    assert result.code == 0
    assert result.err == (
        "Warning: Validation failed for ValidatingAdmissionPolicy 'few' with binding 'here': "
        "failed expression: object.spec.replicas <= 5\n"
    )


async def test_parameters(cluster: Cluster) -> None:
    spec = {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [
            {"expression": "object.spec.replicas <= int(params.data.most)", "message": "too many"}
        ],
    }
    reference = {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}
    await cluster.ok("apply", "-f", "-", stdin=policy(spec, paramRef=reference))
    text = await cluster.fails("apply", "-f", "-", stdin=DEPLOYMENT % 1)
    assert "no params found for policy binding with `Deny` parameterNotFoundAction" in text
    await cluster.ok("create", "configmap", "limits", "--from-literal=most=2")
    await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT % 2)
    assert f"{DENIED}too many" in await cluster.fails("apply", "-f", "-", stdin=DEPLOYMENT % 3)


async def test_a_policy_that_is_none_is_refused(cluster: Cluster) -> None:
    broken = {"validations": [{"expression": "object.spec.replicas <"}]}
    text = await cluster.fails("apply", "-f", "-", stdin=policy(broken))
    assert "spec.validations[0].expression: Invalid value" in text
    assert "compilation failed: ERROR: <input>:1:23: Syntax error" in text
    both = policy(FEW, validationActions=["Deny", "Warn"])
    assert "must not contain both Deny and Warn" in await cluster.fails("apply", "-f", "-", stdin=both)


async def test_misspelt_fields_are_told_in_the_status(cluster: Cluster) -> None:
    misspelt = {"validations": [{"expression": "object.spec.replcas <= 5"}]}
    await cluster.ok("apply", "-f", "-", stdin=policy(misspelt))
    path = "{.status.typeChecking.expressionWarnings[0].fieldRef} {.status.typeChecking.expressionWarnings[0].warning}"
    told = await cluster.ok("get", "validatingadmissionpolicy", "few", f"-o=jsonpath={path}")
    assert told.startswith(
        "spec.validations[0].expression apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined"
    )
    assert "undefined field 'replcas'" in told
    # What cannot be evaluated is refused, as failurePolicy is Fail.
    text = await cluster.fails("apply", "-f", "-", stdin=DEPLOYMENT % 1)
    assert f"{DENIED}expression 'object.spec.replcas <= 5' resulted in error: no such key: replcas" in text


async def test_tables(cluster: Cluster) -> None:
    await cluster.ok("apply", "-f", "-", stdin=policy(FEW))
    table = await cluster.ok("get", "validatingadmissionpolicies,validatingadmissionpolicybindings")
    lines = [line.split() for line in table.splitlines() if line]
    assert lines[0] == ["NAME", "VALIDATIONS", "PARAMKIND", "AGE"]
    assert lines[1][:3] == ["validatingadmissionpolicy.admissionregistration.k8s.io/few", "1", "<unset>"]
    assert lines[2] == ["NAME", "POLICYNAME", "PARAMREF", "AGE"]


APPLIED = {
    "reinvocationPolicy": "Never",
    "mutations": [
        {
            "patchType": "ApplyConfiguration",
            "applyConfiguration": {
                "expression": """
                    Object{
                      metadata: Object.metadata{labels: {"team": object.?metadata.?labels[?"team"].orValue("none")}},
                      spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{
                        containers: object.spec.template.spec.containers.map(c,
                          Object.spec.template.spec.containers.item{name: c.name, imagePullPolicy: "Never"})
                      }}}
                    }"""
            },
        }
    ],
}
PATCHED = {
    "reinvocationPolicy": "Never",
    "mutations": [
        {
            "patchType": "JSONPatch",
            "jsonPatch": {
                "expression": """[
                    JSONPatch{op: "add", path: "/metadata/annotations", value: {}},
                    JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("a/b"), value: "c"}
                ]"""
            },
        }
    ],
}


@pytest.mark.parametrize(
    ("spec", "path", "expected"),
    [
        (
            APPLIED,
            "{.metadata.labels.team} {.spec.template.spec.containers[0].imagePullPolicy}",
            "none Never",
        ),
        (PATCHED, "{.metadata.annotations.a/b}", "c"),
    ],
)
async def test_a_policy_changes_what_is_created(
    cluster: Cluster, spec: dict[str, Any], path: str, expected: str
) -> None:
    await cluster.ok("apply", "-f", "-", stdin=policy(spec, kind="Mutating"))
    await cluster.ok("create", "-f", "-", stdin=DEPLOYMENT % 1)
    shown = await cluster.ok("get", "deployment", "web", f"-o=jsonpath={path}")
    assert shown == expected
    image = await cluster.ok(
        "get", "deployment", "web", "-o=jsonpath={.spec.template.spec.containers[0].image}"
    )
    assert image == "httpbin"


async def test_a_change_that_is_none_is_refused(cluster: Cluster) -> None:
    wrong = {
        "patchType": "JSONPatch",
        "jsonPatch": {"expression": "[JSONPatch{op: 'remove', path: '/nothing'}]"},
    }
    spec = {"reinvocationPolicy": "Never", "mutations": [wrong]}
    await cluster.ok("apply", "-f", "-", stdin=policy(spec, kind="Mutating"))
    text = await cluster.fails("create", "-f", "-", stdin=DEPLOYMENT % 1)
    assert "policy 'few' with binding 'here' denied request: error applying JSON patch" in text
