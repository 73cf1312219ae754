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
    return _pods_of(kubectl, target, namespace)[0]


def resolve_all(kubectl: Kubectl, what: str, target: str | None, selector: str, namespace: str) -> list[Pod]:
    """
    Find all running pods of a target, or with the labels of a selector; one of both is given to the command `what`.

    Raises:
        ClickException: there is none, or not one of both is given.
    """
    if (target is None) == (not selector):
        raise click.ClickException(f"{what} requires pod name or --selector, and not both")
    if target is not None:
        return _pods_of(kubectl, target, namespace)
    return _running(kubectl, selector, namespace, target=f"selector {selector}")


def _pods_of(kubectl: Kubectl, target: str, namespace: str) -> list[Pod]:
    kind, named = parse(target, namespace)
    if kind in ("pod", "pods", "po"):
        return [named]
    found = kubectl.json("get", f"{kind}/{named.name}", "-n", named.namespace, "-o", "json")
    if found["kind"] == "Pod":
        return [named]
    selector: dict[str, Any] = found["spec"].get("selector") or {}
    labels = selector.get("matchLabels", selector)
    query = ",".join(f"{key}={value}" for key, value in labels.items())
    return _running(kubectl, query, named.namespace, target=target)


def _running(kubectl: Kubectl, query: str, namespace: str, *, target: str) -> list[Pod]:
    pods = kubectl.json("get", "pods", "-n", namespace, "-l", query, "-o", "json")["items"]
    running = [
        Pod(pod["metadata"]["name"], namespace)
        for pod in pods
        if pod["status"].get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")
    ]
    if not running:
        raise click.ClickException(f"no pods found for {target} in namespace {namespace}")
    return running
