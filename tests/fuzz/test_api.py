"""
Requests that nobody would make, to every resource that discovery knows: each is answered, none with a 500.

The normal suite sends a few hundred, always the same ones; `make fuzz` sends 10,000 new ones. A failure prints the
request. The server is a process of its own; what it holds in memory does not grow with the number of requests.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.fuzz import bodies, servers

from bookmesh.kube.schema import kinds, schemas

INPUTS = min(int(os.environ.get("BOOKMESH_FUZZ_INPUTS", "0")), 10_000)
RUN = settings(
    max_examples=INPUTS or 250,
    deadline=None,
    derandomize=not INPUTS,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MOST_GROWTH_MIB = 12
SAMPLES = 10
KNOWN = schemas.Schemas.load()
KINDS = kinds.Kinds().all()
PATCHES = ("json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
POLICIES = next(kind for kind in KINDS if kind.plural == "validatingadmissionpolicies")
# The first expression that a server sees loads the engine of expressions, of some 12 MiB: that is no growth.
POLICY = {
    "metadata": {"name": "first"},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
            ]
        },
        "validations": [{"expression": "true"}],
    },
}
TYPES = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "text/plain",
    "",
)


@pytest.fixture(scope="module")
def here() -> Iterator[servers.Here]:
    found = servers.Here()
    yield found
    found.close()


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
def test_every_request_is_answered_and_none_with_a_500(capsys: pytest.CaptureFixture[str]) -> None:
    sizes: list[float] = []
    codes: list[int] = []
    with servers.apart() as server:
        assert server.send("POST", path_of(POLICIES), orjson.dumps(POLICY), "application/json") == 201

        @RUN
        @given(request=requests())
        def check(request: tuple[str, str, bytes, str]) -> None:
            codes.append(server.send(*request))
            assert codes[-1] < 500, request
            if len(codes) % (RUN.max_examples // SAMPLES) == 0:
                sizes.append(server.resident_mib())

        check()
    refused = sum(code >= 400 for code in codes)
    curve = " ".join(f"{size:.0f}" for size in sizes)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(codes)} requests to {len(KINDS)} resources, {refused} refused, none with a 500; "
            f"the server's memory after each tenth, in MiB: {curve}\n"
        )
    assert 0 < refused < len(codes)
    assert sizes[-1] - sizes[SAMPLES // 3] < MOST_GROWTH_MIB


def test_a_defect_is_seen(here: servers.Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(here.objects.over, "get", break_down)
    assert here.send("GET", "/api/v1/namespaces/default/configmaps/a", b"", "").status == 500
