"""Requests as lines of an audit log."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.unit.kube.api.conftest import NOW, Streams, decoded, request_for

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.api import app, auditing, authentication, authorization, default_roles, verbs
from bookmesh.kube.schema import audit_policies

MAPS = "/api/v1/namespaces/default/configmaps"
BINDINGS = Resource(authorization.GROUP, "v1", "clusterrolebindings")
USERS = {"good": "jane", "other": "joe"}


class Audited:
    """A server, and what its log has."""

    def __init__(self, over: verbs.Verbs, *rules: dict[str, Any], **more: Any) -> None:
        document = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(rules), **more}
        self.lines: list[bytes] = []
        auditor = auditing.Auditor(audit_policies.Policy(document), self.lines.append, clock=lambda: NOW)
        default_roles.ensure(over)
        subjects = [{"kind": "User", "name": "jane"}]
        over.create(
            BINDINGS,
            {
                "metadata": {"name": "jane"},
                "roleRef": {"apiGroup": authorization.GROUP, "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": subjects,
            },
        )
        self.app = app.build_app(
            over,
            streams=Streams(),
            authenticator=authentication.Authenticator(user_for_token=USERS.get),
            authorizer=authorization.Authorizer(over.store),
            auditor=auditor,
        )
        self.app.freeze()

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {"Authorization": "Bearer good", "Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = orjson.dumps(body) if body is not None else b""
        return await self.app._handle(request_for(method, path, headers=given, body=content))

    @property
    def events(self) -> list[JsonObject]:
        return [orjson.loads(line) for line in self.lines]


async def test_metadata_says_who_did_what_and_how_it_ended(over: verbs.Verbs) -> None:
    server = Audited(over, {"level": "Metadata"})
    body = {"metadata": {"name": "a"}, "data": {"secret": "x"}}
    answer = await server.send("POST", MAPS, body, User_Agent="me/1")
    assert answer.status == 201
    received, complete = server.events
    assert (received["stage"], complete["stage"]) == ("RequestReceived", "ResponseComplete")
    assert received["auditID"] == complete["auditID"] == answer.headers["Audit-Id"]
    assert "responseStatus" not in received
    assert complete == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": complete["auditID"],
        "stage": "ResponseComplete",
        "requestURI": MAPS,
        "verb": "create",
        "user": {"username": "jane", "groups": ["system:authenticated"]},
        "sourceIPs": [],
        "userAgent": "me/1",
        "objectRef": {
            "resource": "configmaps",
            "namespace": "default",
            "name": "a",
            "apiVersion": "v1",
        },
        "responseStatus": {"metadata": {}, "code": 201},
        "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z",
        "stageTimestamp": "2026-01-01T00:00:00.000000Z",
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": 'RBAC: allowed by ClusterRoleBinding "jane" of ClusterRole '
            '"cluster-admin" to User "jane"',
        },
    }


async def test_bodies_are_written_as_far_as_the_level_says(over: verbs.Verbs) -> None:
    server = Audited(
        over,
        {"level": "Request", "verbs": ["create"]},
        {"level": "RequestResponse", "omitManagedFields": True},
        omitStages=["RequestReceived"],
    )
    body = {"metadata": {"name": "a"}, "data": {"k": "v"}}
    await server.send("POST", MAPS, body)
    await server.send("PATCH", f"{MAPS}/a", {"data": {"k": "w"}}, Content_Type="application/merge-patch+json")
    await server.send("GET", MAPS)
    created, patched, listed = server.events
    assert created["requestObject"] == body
    assert "responseObject" not in created
    assert (patched["requestObject"], patched["responseObject"]["data"]) == ({"data": {"k": "w"}}, {"k": "w"})
    assert "managedFields" not in patched["responseObject"]["metadata"]
    assert "requestObject" not in listed
    assert [each["data"] for each in listed["responseObject"]["items"]] == [{"k": "w"}]
    assert "managedFields" not in listed["responseObject"]["items"][0]["metadata"]


async def test_a_refusal_is_written_with_its_reason(over: verbs.Verbs) -> None:
    server = Audited(over, {"level": "RequestResponse", "omitStages": ["RequestReceived"]})
    answer = await server.send("DELETE", f"{MAPS}/a", Authorization="Bearer other")
    (event,) = server.events
    assert answer.status == 403
    assert event["responseStatus"]["reason"] == "Forbidden"
    assert event["responseStatus"]["message"] == decoded(answer)["message"]
    assert event["annotations"]["authorization.k8s.io/decision"] == "forbid"
    assert event["objectRef"]["name"] == "a"


async def test_who_stands_in_for_whom_is_written(over: verbs.Verbs) -> None:
    server = Audited(over, {"level": "Metadata", "omitStages": ["RequestReceived"]})
    await server.send("GET", MAPS, Impersonate_User="joe")
    (event,) = server.events
    assert (event["user"]["username"], event["impersonatedUser"]["username"]) == ("jane", "joe")
    assert event["responseStatus"]["code"] == 403


async def test_nobody_unknown_and_nothing_that_no_rule_wants_is_written(over: verbs.Verbs) -> None:
    server = Audited(over, {"level": "None", "verbs": ["list"]}, {"level": "Metadata"})
    assert (await server.send("GET", MAPS)).status == 200
    assert (await server.send("GET", f"{MAPS}/a", Authorization="Bearer bad")).status == 401
    assert server.lines == []
    await server.send("GET", "/version")
    assert [event["requestURI"] for event in server.events] == ["/version", "/version"]
    assert "objectRef" not in server.events[0]


async def test_the_id_of_a_request_is_the_clients_when_it_has_one(over: verbs.Verbs) -> None:
    server = Audited(over, {"level": "Metadata"})
    answer = await server.send("GET", MAPS, Audit_Id="mine", X_Forwarded_For="192.0.2.7, 192.0.2.8")
    assert {event["auditID"] for event in server.events} == {answer.headers["Audit-Id"]} == {"mine"}
    assert server.events[0]["sourceIPs"] == ["192.0.2.7", "192.0.2.8"]


def test_a_log_that_cannot_be_written_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    log = auditing.File(Path("/dev/full"))
    with caplog.at_level(logging.ERROR):
        log.write(b"a")
        log.write(b"b")
    log.close()
    assert [record.getMessage() for record in caplog.records] == [
        "the audit log /dev/full cannot be written: [Errno 28] No space left on device"
    ]


def test_lines_are_added_to_a_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    log = auditing.File(tmp_path / "log")
    log.write(b"{}")
    log.close()
    assert (tmp_path / "log").read_text() == "before\n{}\n"
