"""What `istioctl analyze` looks at: objects of a cluster, with those of files laid over them."""

from __future__ import annotations

import importlib.resources
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
import yaml

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.cli.istioctl import places
from bookmesh.cli.istioctl.analyzers import own
from bookmesh.cli.istioctl.analyzers.messages import Message
from bookmesh.cli.istioctl.analyzers.objects import TEMPLATED, JsonObject, Objects
from bookmesh.cli.istioctl.kubernetes import Kubectl

_PLAIN: Final = ("namespaces", "services", "endpointslices.discovery.k8s.io", "pods", "secrets", "configmaps")
_GROUPS: Final = ("networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io")
_REFUSED: Final = "BM0206"
_SERVICES: Final = ("Service",)
_WORKLOADS: Final = ("Pod", *TEMPLATED)
# (code, how its text begins, kinds of what was looked for)
_NEEDS: Final = (
    ("IST0101", "Referenced host not found", _SERVICES),
    ("IST0174", "", _SERVICES),
    ("IST0101", "Referenced selector not found", _WORKLOADS),
    ("IST0127", "", _WORKLOADS),
    ("IST0173", "", _WORKLOADS),
)


@dataclass(slots=True)
class Files:
    """
    What was read: `names` of the files, their documents, and those that are no YAML, which people have been told.
    Objects that name no namespace are in `namespace`.
    """

    namespace: str = "default"
    names: list[str] = field(default_factory=list)
    documents: list[places.Document] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def reference(self, origin: str, path: str) -> str:
        """`FILE:LINE` of a field of an object; "" when the object is in no file. JSON has no lines, as in Istio."""
        for document in reversed(self.documents):
            if origin in document.names(self.namespace):
                line = "" if document.file.endswith(".json") else f":{document.line_of(path)}"
                return f"{document.file}{line}"
        return ""


def read_files(arguments: Iterable[str], *, namespace: str = "default") -> Files:
    """
    Read files, folders with all below them, and standard input (`-`).

    Raises:
        ClickException: there is no such file.
    """
    read = Files(namespace)
    for argument in arguments:
        if argument == "-":
            _read(read, "-", sys.stdin.read())
            continue
        path = Path(argument)
        if not path.exists():
            raise click.ClickException(f"stat {argument}: no such file or directory")
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_dir():
                continue
            if file.suffix not in places.EXTENSIONS:
                known = " ".join(places.EXTENSIONS)
                click.echo(f"Skipping file {file}, recognized file extensions are: [{known}]", err=True)
            else:
                _read(read, str(file), file.read_text())
    return read


def _read(read: Files, name: str, text: str) -> None:
    read.names.append(name)
    try:
        read.documents += places.parse(text, name)
    except (yaml.YAMLError, ValueError) as error:
        read.problems.append(name)
        click.echo(f"Error(s) adding files: {name}: {error}", err=True)


def gather(
    kubectl: Kubectl | None, read: Files, *, namespace: str, mesh_config: Path | None = None
) -> Objects:
    """
    All objects: those of the cluster, or without one what every mesh has; then those of files and a mesh config.

    Raises:
        ClickException: the cluster does not answer; the mesh configuration cannot be read.
    """
    found: list[JsonObject] = list(_ask(kubectl)) if kubectl is not None else list(_usual_gateway())
    found += [document.content for document in read.documents]
    if mesh_config is not None:
        try:
            found.append(_config_map(mesh_config.read_text()))
        except OSError as error:
            raise click.ClickException(f"{mesh_config}: {error.strerror}") from error
    return Objects(found, namespace=namespace)


def is_known(message: Message, read: Files) -> bool:
    """
    Whether files alone are enough to say so: of Services and pods they hold all or none. Those that hold none are for
    a cluster that has them.
    """
    needed = next(
        (
            kinds
            for code, beginning, kinds in _NEEDS
            if message.code == code and message.text.startswith(beginning)
        ),
        None,
    )
    return needed is None or any(document.content.get("kind") in needed for document in read.documents)


def refused(kubectl: Kubectl | None, read: Files) -> Iterator[Message]:
    """What proxies of a lab refuse at the moment; other clusters do not tell, and of files nobody knows."""
    if kubectl is None or read.names:
        return
    try:
        found = kubectl.ask_lab("/lab/v1/status")["findings"]
    except click.ClickException:
        return
    refusals = [_finding(each) for each in found if each["code"] == _REFUSED]
    yield from own.from_findings(refusals, Objects(()))


def _finding(found: dict[str, Any]) -> Finding:
    subject = found.get("subject")
    return Finding(**{**found, "subject": ObjectRef(**subject) if subject else None})


def _ask(kubectl: Kubectl) -> Iterator[JsonObject]:
    """Everything the analyzers look at, of the kinds that the cluster has."""
    served = kubectl.run("api-resources", "--verbs=list", "-o", "name").split()
    wanted = [*_PLAIN, *(name for name in served if name.partition(".")[2] in _GROUPS)]
    yield from kubectl.json("get", ",".join(wanted), "-A", "-o", "json")["items"]


def _usual_gateway() -> Iterator[JsonObject]:
    """The ingress gateway that an installation has, so that files which refer to it are not found wanting."""
    text = (importlib.resources.files("bookmesh.lab") / "manifests" / "ingress-gateway.yaml").read_text()
    for document in yaml.safe_load_all(text):
        if document and document["kind"] in ("Deployment", "Service"):
            yield document


def _config_map(text: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": text},
    }
