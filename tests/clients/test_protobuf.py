"""
What real kubectl sends as protobuf, decoded, is what the same kubectl prints as JSON.

Each command runs twice: with `--dry-run=client -o json`, which needs no server and is the expectation, and against a
small recorder that keeps the request body.
"""

from __future__ import annotations

import http.server
import json
import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bookmesh.kube.schema import protobuf

PROTOBUF = "application/vnd.kubernetes.protobuf"
COMMANDS = [
    "create namespace shop",
    "create configmap settings --from-literal=a=1 --from-literal=empty= --from-file=binary={file}",
    "create secret generic plain --from-literal=user=jason --from-file=binary={file}",
    "create secret docker-registry pull --docker-server=r.example --docker-username=u --docker-password=p",
    "create serviceaccount robot",
    "create deployment web --image=nginx",
    "create deployment big --image=a:1 --image=b:2 --replicas=3",
    "create deployment none --image=web:1 --replicas=0 --port=8080 -- sh -c 'sleep 1'",
    "create service clusterip one --tcp=80:8080 --tcp=443",
    "create service clusterip headless --clusterip=None",
    "create service nodeport two --tcp=80:http --node-port=30080",
    "create service loadbalancer three --tcp=5:6",
    "create service externalname four --external-name=example.com",
    "create ingress shop --class=istio --rule=a.example.com/x*=web:80,tls=cert --rule=/=web:http --annotation=a=b",
    "create ingress all --default-backend=web:http",
]


class Recorder(http.server.ThreadingHTTPServer):
    """Answers every POST with a name and nothing else; keeps the last body and its type."""

    last: tuple[str, bytes] = ("", b"")


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.last = (self.headers["Content-Type"], body)
        answer = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Success"}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Keep the test output clean."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    server = Recorder(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def kubectl(binary: Path, home: Path, command: str, *more: str) -> subprocess.CompletedProcess[bytes]:
    words = shlex.split(command)
    end = words.index("--") if "--" in words else len(words)  # what follows is the command of a container
    environment = {"HOME": str(home), "KUBECONFIG": str(home / "none"), "PATH": "/usr/bin:/bin"}
    argv = [str(binary), *words[:end], *more, *words[end:]]
    return subprocess.run(argv, capture_output=True, env=environment, timeout=30, check=False)


def send(binary: Path, home: Path, command: str, recorder: Recorder) -> tuple[str, bytes]:
    """Let kubectl send its request; what it makes of the bare answer does not matter."""
    recorder.last = ("", b"")
    kubectl(binary, home, command, f"--server=http://127.0.0.1:{recorder.server_port}", "--namespace=default")
    return recorder.last


def printed_by(binary: Path, home: Path, command: str) -> Any:
    done = kubectl(binary, home, command, "--dry-run=client", "-o", "json")
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def without_empty(value: Any) -> Any:
    """Drop what says nothing: nulls, empty objects and lists, which the two encodings treat differently."""
    if isinstance(value, dict):
        kept = {key: without_empty(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, {}, [])}
    if isinstance(value, list):
        return [without_empty(each) for each in value]
    return value


@pytest.mark.parametrize("command", COMMANDS)
def test_decoding_yields_what_kubectl_prints(
    kubectl_binary: Path, tmp_path: Path, recorder: Recorder, command: str
) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(bytes(range(256)))
    command = command.format(file=file)
    content_type, body = send(kubectl_binary, tmp_path, command, recorder)
    assert content_type == PROTOBUF
    printed = printed_by(kubectl_binary, tmp_path, command)
    decoded = protobuf.decode(body)
    decoded["metadata"].pop("namespace", None)
    printed["metadata"].pop("namespace", None)
    assert without_empty(decoded) == without_empty(printed)


def test_a_token_request_is_decoded(kubectl_binary: Path, tmp_path: Path, recorder: Recorder) -> None:
    command = "create token robot --duration=1h --audience=me --bound-object-kind=Pod --bound-object-name=p"
    content_type, body = send(kubectl_binary, tmp_path, f"{command} --bound-object-uid=u-1", recorder)
    assert content_type == PROTOBUF
    decoded = protobuf.decode(body)
    assert (decoded["apiVersion"], decoded["kind"]) == ("authentication.k8s.io/v1", "TokenRequest")
    assert decoded["spec"] == {
        "audiences": ["me"],
        "expirationSeconds": 3600,
        "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": "u-1"},
    }
