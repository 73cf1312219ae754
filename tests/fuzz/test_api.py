"""
Requests that nobody would make, to every resource that discovery knows: each is answered, none with a 500.

The normal suite sends a few hundred, always the same ones; `make fuzz` sends 10,000 new ones. A failure prints the
request. What the server holds in memory is measured, and does not grow with the number of requests.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.fuzz import bodies
from tests.unit.kube.api.conftest import Streams, request_for

from bookmesh.base import kubernetes
from bookmesh.kube.api import app, authentication, default_roles, verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import records, store

INPUTS = min(int(os.environ.get("BOOKMESH_FUZZ_INPUTS", "0")), 10_000)
RUN = settings(
    max_examples=INPUTS or 250,
    deadline=None,
    derandomize=not INPUTS,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
WARM = 100
MOST_GROWTH_MIB = 48
# hypothesis remembers what it has tried: 16 KiB a request, measured without any server.
REMEMBERED_MIB = 16 / 1024
KNOWN = schemas.Schemas.load()
KINDS = kinds.Kinds().all()
PATCHES = ("json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
TYPES = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "text/plain",
    "",
)
# They would change what the requests after them mean; a test of its own is about each.
TAKEN_BACK = ("customresourcedefinitions", "mutatingwebhookconfigurations", "validatingwebhookconfigurations")


_CONTAINERS = {"containers": [{"name": "main", "image": "httpbin", "ports": [{"containerPort": 80}]}]}
_TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": _CONTAINERS}
_SELECTOR = {"matchLabels": {"app": "web"}}
SEEDS: dict[kubernetes.Resource, dict[str, Any]] = {
    kubernetes.CONFIG_MAPS: {"data": {"a": "b"}},
    kubernetes.SECRETS: {"data": {"a": "Yg=="}},
    kubernetes.SERVICE_ACCOUNTS: {},
    kubernetes.PODS: {"spec": _CONTAINERS},
    kubernetes.SERVICES: {"spec": {"ports": [{"port": 80}], "selector": {"app": "web"}}},
    kubernetes.DEPLOYMENTS: {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
}
"""Objects called `web` that are there for every request."""


class Server:
    """The application without sockets, and how much memory this process has."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.sent = self.refused = 0
        self.warm_mib = 0.0
        self.store = store.Store.open(None, history=100)
        self.over = verbs.Verbs(self.store, kinds.Kinds(), KNOWN)
        self.over.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
        default_roles.ensure(self.over)
        self._forget()
        authenticator = authentication.Authenticator(user_for_token={"good": "somebody"}.get)
        self.app = app.build_app(self.over, streams=Streams(), authenticator=authenticator)
        self.app.freeze()

    def send(self, method: str, path: str, body: bytes, content_type: str) -> int:
        """Send one request; returns the code of the answer."""
        headers = {"Authorization": "Bearer good", "Content-Type": content_type}

        async def ask() -> int:
            response = await self.app._handle(request_for(method, path, headers=headers, body=body))
            return int(response.status)

        code = self.loop.run_until_complete(asyncio.wait_for(ask(), 10))
        self.sent += 1
        self.refused += code >= 400
        self._forget()
        if self.sent == WARM:
            self.warm_mib = resident_mib()
        return code

    def _forget(self) -> None:
        for group, plural in (("apiextensions.k8s.io", TAKEN_BACK[0]), *_WEBHOOKS):
            for stored in self.store.list(records.GroupResource(group, plural)):
                self.store.delete(stored.group_resource, stored.namespace, stored.name)
        if self.store.get(records.GroupResource("", "namespaces"), "", "default") is None:
            self.over.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
        for resource, content in SEEDS.items():
            place = records.GroupResource(resource.group, resource.plural)
            if self.store.get(place, "default", "web") is None:
                self.over.create(resource, {"metadata": {"name": "web", "namespace": "default"}, **content})


_WEBHOOKS = tuple(("admissionregistration.k8s.io", plural) for plural in TAKEN_BACK[1:])


def resident_mib() -> float:
    """What this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.store.close()
    found.loop.close()


def path_of(kind: kinds.Kind, name: str = "", part: str = "") -> str:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    place = "/namespaces/default" if kind.namespaced else ""
    return root + place + "".join(f"/{step}" for step in (kind.plural, name, part) if step)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bytes, str]:
    """Method, path, body and content type."""
    kind = draw(st.sampled_from(KINDS))
    method = draw(st.sampled_from(["POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "GET"]))
    name = "" if method == "POST" else draw(st.sampled_from(["a", "web", "web", "default"]))
    parts = [part for part in kind.subresources if part not in ("attach", "exec", "log", "portforward")]
    part = draw(st.sampled_from(["", "", *parts])) if name or parts else ""
    if part and not name:
        name = "a"
    query = draw(
        st.sampled_from(
            ["", "", "?fieldValidation=Strict", "?dryRun=All", "?dryRun=x", "?limit=-1&continue=%00"]
        )
    )
    content = draw(bodies.objects(KNOWN, kind))
    kind_of_body = draw(st.sampled_from(TYPES)) if draw(st.integers(0, 9)) == 0 else "application/json"
    if method == "PATCH":
        kind_of_body = "application/" + draw(st.sampled_from(PATCHES))
        query = "?fieldManager=fuzz&force=true" if "apply" in kind_of_body else query
        if kind_of_body.endswith("json-patch+json"):
            content = draw(json_patches())
    if draw(st.integers(0, 19)) == 0:
        return method, path_of(kind, name, part) + query, draw(st.binary(max_size=60)), kind_of_body
    return method, path_of(kind, name, part) + query, _encoded(content), kind_of_body


@st.composite
def json_patches(draw: st.DrawFn) -> Any:
    places = st.sampled_from(
        ["", "/", "/spec", "/metadata/labels", "/spec/containers/0", "/a~1b", "x", "/data/-"]
    )
    operation = st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "copy", "move", "remove", "replace", "test", "x"]), "path": places},
        optional={"value": bodies.ODD, "from": places},
    )
    return draw(st.one_of(st.lists(operation, max_size=4), bodies.ODD))


def _encoded(content: Any) -> bytes:
    try:
        return orjson.dumps(content)
    except (TypeError, ValueError):  # a number too large, or half a surrogate
        return repr(content).encode(errors="replace")


@pytest.mark.timeout(1800)
def test_every_request_is_answered_and_none_with_a_500(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    @RUN
    @given(request=requests())
    def check(request: tuple[str, str, bytes, str]) -> None:
        assert server.send(*request) < 500, request

    check()
    grown = resident_mib() - server.warm_mib
    with capsys.disabled():
        sys.stdout.write(
            f"\n{server.sent} requests to {len(KINDS)} resources, {server.refused} refused, none with a 500; "
            f"memory {server.warm_mib:.0f} MiB after {WARM}, {grown:+.0f} MiB since\n"
        )
    assert grown < MOST_GROWTH_MIB + REMEMBERED_MIB * server.sent


def test_a_defect_is_seen(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(server.over, "get", break_down)
    assert server.send("GET", "/api/v1/namespaces/default/configmaps/a", b"", "") == 500
