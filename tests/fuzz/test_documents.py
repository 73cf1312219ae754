"""
Requests that schemathesis makes out of the API's own OpenAPI documents: each is answered as the documents say.

The normal suite sends a few for each operation of some groups, always the same ones; `make fuzz` sends more, for all.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections import Counter
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance
from tests.fuzz import servers

INPUTS = int(os.environ.get("BOOKMESH_FUZZ_INPUTS", "0"))
RUN = settings(
    max_examples=30 if INPUTS else 4,
    deadline=None,
    derandomize=not INPUTS,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
USUAL_DOCUMENTS = ("apis/coordination.k8s.io/v1", "apis/networking.k8s.io/v1")
REFUSALS = {400, 401, 404, 405, 409, 415, 422}
"""What else real servers answer, without documenting it. A fuzz has no business with 403, 410 and 429."""


def fetched(server: servers.Apart, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    try:
        connection.request("GET", path, headers=servers.CREDENTIALS)
        return orjson.loads(connection.getresponse().read())
    finally:
        connection.close()


def try_operation(server: servers.Apart, operation: Any, codes: Counter[int]) -> None:
    places = st.fixed_dictionaries(
        {"namespace": st.sampled_from(["default", "default", None]), "name": st.sampled_from(["web", None])}
    )
    # A random selector or `dryRun` alone is enough to be refused.
    bare = st.sampled_from([True, True, False])

    @RUN
    @given(case=operation.as_strategy(), place=places, is_bare=bare)
    def check(case: Any, place: dict[str, str | None], is_bare: bool) -> None:
        for key, value in place.items():
            if value and key in (case.path_parameters or {}):
                case.path_parameters[key] = value
        if is_bare:
            case.query = {}
            if isinstance(case.body, dict):
                case.body["metadata"] = {"name": place["name"] or "made"}
        answer = case.call(base_url=f"http://127.0.0.1:{server.port}", headers=servers.CREDENTIALS)
        codes[answer.status_code] += 1
        assert answer.headers["content-type"] == ["application/json"], answer.text
        case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])
        documented = {int(code) for code in case.operation.definition.raw["responses"]}
        assert answer.status_code in documented | REFUSALS, answer.text
        if answer.status_code >= 400:
            status = orjson.loads(answer.content)
            assert (status["kind"], status["code"]) == ("Status", answer.status_code)
            assert status["message"]

    check()


@pytest.mark.timeout(1800)
def test_operations_answer_as_documented(capsys: pytest.CaptureFixture[str]) -> None:
    codes: Counter[int] = Counter()
    tried = 0
    with servers.apart() as server:
        documents = fetched(server, "/openapi/v3")["paths"]
        for key in documents if INPUTS else USUAL_DOCUMENTS:
            document = fetched(server, documents[key]["serverRelativeURL"])
            for found in schemathesis.openapi.from_dict(document).get_all_operations():
                try_operation(server, found.ok(), codes)
                tried += 1
    with capsys.disabled():
        sys.stdout.write(f"\n{codes.total()} requests to {tried} operations: {dict(sorted(codes.items()))}\n")
    assert codes[200] + codes[201] > codes.total() / 10
