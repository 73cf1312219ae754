"""Which pod is meant by `POD`, `POD.NAMESPACE`, `deploy/NAME` or `deploy/NAME.NAMESPACE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from bookmesh.cli.istioctl.kubernetes import Kubectl


@dataclass(frozen=True, slots=True)
class Pod:
    name: str
    namespace: str


def parse(target: str, namespace: str) -> tuple[str, Pod]:
    """
    Split a target into kind ("pod" when it names none) and name with namespace.

    A name never has a dot where a namespace follows it: `details-v1-abc.bookinfo`.
    """
    kind, has_kind, name = target.rpartition("/")
    name, _, own = name.partition(".")
    return kind if has_kind else "pod", Pod(name, own or namespace)


def resolve(kubectl: Kubectl, target: str, namespace: str) -> Pod:
    """
    Find the pod; of a workload, its first running one.

    Raises:
        ClickException: there is none.
    """
    kind, named = parse(target, namespace)
    if kind in ("pod", "pods", "po"):
        return named
    found = kubectl.json("get", f"{kind}/{named.name}", "-n", named.namespace, "-o", "json")
    if found["kind"] == "Pod":
        return named
    selector: dict[str, Any] = found["spec"].get("selector") or {}
    labels = selector.get("matchLabels", selector)
    query = ",".join(f"{key}={value}" for key, value in labels.items())
    pods = kubectl.json("get", "pods", "-n", named.namespace, "-l", query, "-o", "json")["items"]
    running = [
        pod["metadata"]["name"]
        for pod in pods
        if pod["status"].get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")
    ]
    if not running:
        raise click.ClickException(f"no pods found for {target} in namespace {named.namespace}")
    return Pod(running[0], named.namespace)
