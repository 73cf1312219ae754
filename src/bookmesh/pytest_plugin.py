"""
Fixtures for anybody's tests that need a Kubernetes API: pytest finds them once Bookmesh is installed.

    def test_the_operator_makes_a_deployment(kubernetes_namespace):
        kubernetes_namespace.apply("my-crd.yaml", "my-object.yaml")

`kubernetes_api` is one API server for the whole run, on a free port, with a store of its own. It ends with the run,
also when that is killed. `kubernetes_namespace` is a new namespace of it for each test.
"""

from __future__ import annotations

import http.client
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:  # nothing is imported for projects that do not use the fixtures
    from bookmesh.lab import paths

_EXTENTS: Final = ("api", "controllers", "node")
_TIMEOUT_S: Final = 60.0


class KubernetesError(AssertionError):
    """The API server, or kubectl, did not do what a test asked of it; the text is theirs."""


@dataclass(frozen=True, slots=True)
class KubernetesApi:
    """An API server that runs. `namespace` is the one that kubectl means without `-n`."""

    url: str
    kubeconfig: Path
    namespace: str
    lab: paths.LabPaths

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which kubectl, Helm and clients find the server, on top of those of this process."""
        from bookmesh.lab import client

        return client.environment(self.lab) | {"KUBECONFIG": str(self.kubeconfig)}

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """
        Run kubectl; returns its standard output.

        Raises:
            KubernetesError: it failed.
        """
        __tracebackhide__ = True  # what a person wants to see is the line of the test
        from bookmesh.lab import client

        done = subprocess.run(
            [client.find_kubectl(prefer_own=True), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise KubernetesError(f"kubectl {' '.join(arguments)}: {done.stderr or done.stdout}")
        return done.stdout

    def apply(self, *files: str | Path) -> str:
        """Apply YAML files or folders, one after the other, so that kinds come before their objects."""
        __tracebackhide__ = True
        return "".join(self.kubectl("apply", "-f", str(file)) for file in files)

    def request(self, method: str, path: str, body: object = None) -> Any:
        """
        Ask the server as its administrator; JSON in, JSON out.

        Raises:
            KubernetesError: the answer is no success; the text has its status and reason.
        """
        __tracebackhide__ = True
        import orjson

        from bookmesh.lab import keys

        connection = http.client.HTTPSConnection(
            self.url.removeprefix("https://"),
            context=keys.Keys(self.lab.pki).client_context(),
            timeout=_TIMEOUT_S,
        )
        try:
            connection.request(
                method,
                path,
                None if body is None else orjson.dumps(body),
                {"Content-Type": "application/json"},
            )
            response = connection.getresponse()
            answer = orjson.loads(response.read())
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise KubernetesError(f"{method} {path}: {response.status} {answer.get('message', '')}")
        return answer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let people say how much of a cluster their tests need."""
    text = "what kubernetes_api runs: api (objects alone), controllers (the default) or node (pods run, too)"
    parser.getgroup("kubernetes").addoption("--kubernetes-extent", choices=_EXTENTS, help=text)
    parser.addini("kubernetes_extent", text, default="controllers")


@pytest.fixture(scope="session")
def kubernetes_api(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KubernetesApi]:
    """An API server of this test run, on a free port, as its administrator."""
    from bookmesh.base import findings
    from bookmesh.lab import extents, launching, paths

    wanted = request.config.getoption("--kubernetes-extent") or request.config.getini("kubernetes_extent")
    if wanted not in _EXTENTS:
        raise pytest.UsageError(f"kubernetes_extent is {wanted!r}, and may be {', '.join(_EXTENTS)}")
    lab = paths.LabPaths("pytest", tmp_path_factory.mktemp("kubernetes") / "pytest")
    reader, writer = os.pipe()
    try:
        try:
            settings, _ = launching.start(
                lab, port=None, extent=extents.Extent(wanted), lifeline=reader, on_step=lambda _step: None
            )
        except findings.BookmeshError as error:
            raise KubernetesError(error.finding.render()) from error
        yield KubernetesApi(f"https://127.0.0.1:{settings.port}", lab.kubeconfig, "default", lab)
    finally:
        os.close(writer)
        os.close(reader)
        launching.stop(lab)


@pytest.fixture
def kubernetes_namespace(kubernetes_api: KubernetesApi, tmp_path: Path) -> Iterator[KubernetesApi]:
    """
    The same API server with a new namespace, which kubectl and clients mean when they name none.

    It is deleted after the test, and nothing waits for that: names are never used again.
    """
    name = f"test-{secrets.token_hex(4)}"
    kubernetes_api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_bytes(_with_namespace(kubernetes_api.kubeconfig.read_text(), name))
    kubeconfig.chmod(0o600)
    yield KubernetesApi(kubernetes_api.url, kubeconfig, name, kubernetes_api.lab)
    kubernetes_api.request("DELETE", f"/api/v1/namespaces/{name}")


def _with_namespace(kubeconfig: str, namespace: str) -> bytes:
    """A kubeconfig whose contexts have a namespace."""
    import yaml

    document: Mapping[str, Any] = yaml.safe_load(kubeconfig)
    for context in document["contexts"]:
        context["context"]["namespace"] = namespace
    return yaml.safe_dump(document, sort_keys=False).encode()
