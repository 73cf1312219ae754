"""Take a run's objects away, and find what is left: the namespace and all in it, and objects declared elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from bookmesh.tasks import format as formats
from bookmesh.tasks.kubectl import Kubectl

RUN_LABEL = "tasks.bookmesh.dev/task"
LIMIT_S = 60.0


def clean(kubectl: Kubectl, namespace: str, elsewhere: Sequence[formats.Elsewhere]) -> list[str]:
    """
    Delete, wait until it is gone, and look.

    Returns:
        What could not be removed, in words; empty when all is gone.
    """
    for declared in elsewhere:
        _delete(kubectl, *_arguments(declared))
    _delete(kubectl, "namespace", namespace)
    left = existing(kubectl, elsewhere)
    seen = kubectl.run("get", "namespace", namespace, "--ignore-not-found", "-o", "name")
    if seen.exit or seen.stdout.strip():
        left.append(f"namespace {namespace} ({seen.output})")
    return left


def _delete(kubectl: Kubectl, *named: str) -> None:
    """Whoever interrupts a run does not mean this."""
    limit = f"--timeout={LIMIT_S:g}s"
    kubectl.run("delete", *named, "--ignore-not-found", limit, timeout_s=LIMIT_S + 5, is_shielded=True)


def existing(kubectl: Kubectl, elsewhere: Sequence[formats.Elsewhere]) -> list[str]:
    """List those declared objects that are there. An unknown kind cannot be there."""
    found = []
    for declared in elsewhere:
        seen = kubectl.run("get", *_arguments(declared), "--ignore-not-found", "-o", "name")
        if seen.exit == 0 and seen.stdout.strip():
            found.append(f"{declared.kind} {declared.namespace}/{declared.name}".replace(" /", " "))
    return found


def _arguments(declared: formats.Elsewhere) -> list[str]:
    namespace = ["-n", declared.namespace] if declared.namespace else []
    return [declared.kind, declared.name, *namespace]
