"""`istioctl kube-inject`: a file with sidecars in its pods, as the lab would inject them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
import yaml

from bookmesh.base.kubernetes import copy_json
from bookmesh.cli.istioctl import flags
from bookmesh.lab import injection_values, releases
from bookmesh.mesh.injection import settings

_TEMPLATED: Final = frozenset(
    {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"}
)
_ASKED_FOR: Final = {settings.NAMESPACE_INJECTION: "enabled"}


@click.command("kube-inject", cls=flags.Command)
@click.option("-f", "--filename", required=True, help="File to read; - for standard input.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write (default: standard output)."
)
@flags.common
@click.pass_obj
def kube_inject(session: flags.Session, filename: str, output: Path | None) -> None:
    """Print the objects of a file, their pods with sidecars: kubectl apply -f <(istioctl kube-inject -f FILE)."""
    try:
        text = sys.stdin.read() if filename == "-" else Path(filename).read_text()
        documents = [document for document in yaml.safe_load_all(text) if document]
        place = (injection_values.CONFIG_MAP, "-n", session.system_namespace)
        annotations = injection_values.read_annotations(session.kubectl.find("configmap", *place))
        injected = yaml.safe_dump_all(inject_all(documents, annotations), sort_keys=False)
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise click.ClickException(f"{filename}: {error}") from error
    if output is None:
        click.echo(injected, nl=False)
    else:
        output.write_text(injected)


def inject_all(
    documents: list[dict[str, Any]], annotations: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """
    Inject into what has pods; all else comes through as it is. `annotations` are the mesh's own for pods.

    Raises:
        InjectionError: an annotation of a pod cannot be honoured.
    """
    for document in documents:
        copy = copy_json(document)
        if copy.get("kind") == "List":
            copy["items"] = list(inject_all(copy.get("items") or [], annotations))
        elif copy.get("kind") == "Pod":
            copy |= _inject(copy, annotations or {})
        elif copy.get("kind") in _TEMPLATED:
            copy["spec"]["template"] = _inject(copy["spec"]["template"], annotations or {})
        elif copy.get("kind") == "CronJob":
            job = copy["spec"]["jobTemplate"]["spec"]
            job["template"] = _inject(job["template"], annotations or {})
        yield copy


def _inject(pod: dict[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    pod.setdefault("metadata", {})
    with_settings = settings.InjectionSettings(tag=releases.ISTIO_TAG)
    return injection_values.inject(pod, annotations, namespace_labels=_ASKED_FOR, settings=with_settings)
