from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from tests.unit.tasks.fake_kubectl import FakeKubectl, said

from bookmesh.tasks import format as formats
from bookmesh.tasks import ingress, probing


def expectation(**probe: Any) -> formats.Expectation:
    return msgspec.convert({"name": "e", **probe}, formats.Expectation)


def probe(kubectl: FakeKubectl, **wanted: Any) -> Any:
    return probing.Prober(kubectl, "n", Path(), ingress.Gateway(kubectl)).probe(expectation(**wanted))


def test_a_request_from_a_pod_is_one_curl(tmp_path: Path) -> None:
    def answer(_arguments: tuple[str, ...], stdin: str) -> Any:
        mark = stdin.partition("write-out")[2].split("\\n")[1].split(" ")[0]
        return said(f"HTTP/1.1 204 No Content\r\n\r\n\n{mark} 204 0.1 0 \n" * 3)

    kubectl = FakeKubectl(answer)
    seen = probe(kubectl, request={"from": "curl", "container": "c", "url": "http://x", "n": 3})
    assert [each.status for each in seen.exchanges] == [204, 204, 204]
    assert kubectl.commands == [("exec", "-i", "-n", "n", "deploy/curl", "-c", "c", "--", "curl", "-K", "-")]


def test_a_client_that_is_not_there_is_an_error_and_no_crash() -> None:
    seen = probe(
        FakeKubectl(lambda _a, _s: said("", 1, "not found")), request={"from": "curl", "url": "http://x"}
    )
    assert seen.error == "curl in deploy/curl: not found"


def test_exec_logs_and_get_give_text() -> None:
    kubectl = FakeKubectl(lambda arguments, _stdin: said(" ".join(arguments)))
    assert probe(kubectl, exec={"of": "pod/x", "command": ["a", "b"]}).text == "exec -n n pod/x -- a b"
    assert probe(kubectl, logs={"of": "pod/x", "container": "c"}).text == "logs -n n pod/x -c c"
    assert probe(kubectl, get={"of": "svc/x"}).text == "get -n n svc/x -o json"


def test_a_request_is_made_before_each_look_at_a_log() -> None:
    kubectl = FakeKubectl(lambda arguments, _stdin: said(" ".join(arguments)))
    with_request = {"of": "pod/x", "after": {"from": "curl", "url": "http://x"}}
    assert "curl" in probe(kubectl, logs=with_request).error  # nothing was sent, so there is nothing to see
    assert [command[0] for command in kubectl.commands] == ["exec"]


def test_a_failing_command_is_seen_with_its_exit_code_other_failures_as_errors() -> None:
    kubectl = FakeKubectl(lambda _a, _s: said("", 35, "broken"))
    seen = probe(kubectl, exec={"of": "pod/x", "command": ["a"]})
    assert (seen.exit, seen.text, seen.error) == (35, "broken", "")
    assert probe(kubectl, logs={"of": "pod/x"}).error == "broken"
    assert probe(kubectl, stats={"of": "pod/x", "name": "a"}).error == "no pod/x in n"


def test_statistics_are_matched_by_their_whole_name() -> None:
    text = "cluster.a.rq: 3\ncluster.b.rq: 4\ncluster.a.rq_total: 9\ncluster.a.rq: P0(1,2)\n"
    assert probing._matching_stats(text, r"cluster\..\.rq") == {"cluster.a.rq": 3, "cluster.b.rq": 4}


def test_probes_are_described() -> None:
    request = {"url": "http://x", "from": "curl", "n": 5, "concurrency": 2, "headers": {"A": "b"}}
    assert probing.describe(expectation(request=request)) == "GET http://x -H A:b from curl x 5, 2 at a time"
    assert probing.describe(expectation(exec={"of": "pod/x", "command": ["a", "b"]})) == "exec pod/x: a b"
    assert probing.describe(expectation(logs={"of": "pod/x", "container": "c"})) == "logs pod/x c"
    after = {"of": "pod/x", "after": {"url": "http://x"}}
    assert probing.describe(expectation(logs=after)) == "logs pod/x after GET http://x from outside"


def test_the_gateway_is_asked_for_once_until_a_request_does_not_get_through() -> None:
    service = {
        "spec": {"ports": [{"port": 80}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}},
    }
    kubectl = FakeKubectl(lambda _arguments, _stdin: said(json.dumps(service)))
    prober = probing.Prober(kubectl, "n", Path(), ingress.Gateway(kubectl))
    no_port = formats.Request(url="http://a.example:81/")
    prober.gateway.address()
    assert prober.send(no_port).exchanges[0].error
    assert len(kubectl.commands) == 1
    prober.send(no_port)
    assert len(kubectl.commands) == 2
