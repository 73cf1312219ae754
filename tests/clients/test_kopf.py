"""An operator on kopf lives through the life of its objects, and through its own end and return."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lab import labs

from bookmesh.pytest_plugin import KubernetesApi, KubernetesError

OPERATOR = Path(__file__).parent / "operators" / "greetings.py"
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: greetings.example.com}
spec:
  group: example.com
  names: {kind: Greeting, plural: greetings}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, required: [text], properties: {text: {type: string}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""


@pytest.fixture
def namespace(kubernetes_namespace: KubernetesApi) -> KubernetesApi:
    kubernetes_namespace.kubectl("apply", "-f", "-", stdin=DEFINITION)
    return kubernetes_namespace


wait_until = functools.partial(labs.wait_until, within_s=60.0)


def greet(namespace: KubernetesApi, name: str, text: str) -> None:
    body = {"apiVersion": "example.com/v1", "kind": "Greeting", "metadata": {"name": name}}
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps(body | {"spec": {"text": text}}))


def read(namespace: KubernetesApi, kind: str, name: str) -> dict[str, Any]:
    """The object; empty when there is none."""
    found = namespace.kubectl("get", kind, name, "--ignore-not-found", "-o", "json")
    parsed: dict[str, Any] = json.loads(found) if found else {}
    return parsed


def status(namespace: KubernetesApi, name: str) -> dict[str, Any]:
    found: dict[str, Any] = read(namespace, "greeting", name).get("status", {})
    return found


@contextlib.contextmanager
def operator(namespace: KubernetesApi, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The operator, running by itself: without peers, for one namespace."""
    command = ["-m", "kopf", "run", "--standalone", "--namespace", namespace.namespace, str(OPERATOR)]
    with (tmp_path / "operator.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            env=os.environ | namespace.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=60)
    assert code in (0, -signal.SIGKILL), (tmp_path / "operator.log").read_text()


@pytest.mark.covers("kopf", "create", "update", "delete", "timer", "daemon", "finalizers", "status", "events")
def test_handlers_follow_the_life_of_an_object(namespace: KubernetesApi, tmp_path: Path) -> None:
    greet(namespace, "a", "hello")
    assert status(namespace, "a") == {}, "nobody acts before the operator runs"
    with operator(namespace, tmp_path):
        wait_until(lambda: status(namespace, "a").get("text") == "hello", what="the create handler")
        assert status(namespace, "a")["create"] == "made a"
        found = read(namespace, "greeting", "a")
        assert "example.com/operator" in found["metadata"]["finalizers"]
        child = read(namespace, "configmap", "a")
        assert child["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]
        wait_until(lambda: read(namespace, "configmap", "watched-a"), what="the daemon")
        ticks = status(namespace, "a").get("ticks", 0)
        wait_until(lambda: status(namespace, "a").get("ticks", 0) > ticks + 1, what="the timer")
        greet(namespace, "a", "good evening")
        wait_until(
            lambda: status(namespace, "a")["text"] == "good evening, no longer hello",
            what="the update handler",
        )
        assert read(namespace, "configmap", "a")["data"]["text"] == "good evening"
        wait_until(
            lambda: "said hello" in namespace.kubectl("events", "--for=greeting/a"),
            what="an event of the handler",
        )
        namespace.kubectl("delete", "greeting", "a", "--timeout=60s")
        assert read(namespace, "configmap", "farewell-a"), "the delete handler ran before the object went"
        wait_until(lambda: not read(namespace, "configmap", "a"), what="the child goes with its owner")
        wait_until(lambda: not read(namespace, "configmap", "watched-a"), what="the daemon's end")


@pytest.mark.covers("kopf", "resume")
def test_an_operator_that_was_killed_catches_up(namespace: KubernetesApi, tmp_path: Path) -> None:
    with operator(namespace, tmp_path) as process:
        for name in ("kept", "changed", "deleted"):
            greet(namespace, name, "hello")
        for name in ("kept", "changed", "deleted"):
            wait_until(lambda name=name: status(namespace, name).get("create"), what=f"{name} handled")
        process.kill()
        process.wait(timeout=60)
    greet(namespace, "changed", "good evening")
    greet(namespace, "new", "hello")
    namespace.kubectl("delete", "greeting", "deleted", "--wait=false")
    assert read(namespace, "greeting", "deleted"), "the finalizer keeps it until the operator is back"
    with operator(namespace, tmp_path):
        wait_until(lambda: status(namespace, "kept").get("resumed"), what="the resume handler")
        wait_until(lambda: "good evening" in status(namespace, "changed")["text"], what="the change")
        wait_until(lambda: status(namespace, "new").get("create") == "made new", what="the new one")
        wait_until(lambda: not read(namespace, "greeting", "deleted"), what="the deleted one gone")
        namespace.kubectl("delete", "greetings", "--all", "--timeout=60s")
    with pytest.raises(KubernetesError, match="NotFound"):
        namespace.kubectl("get", "greeting", "kept")
