"""The audit log of a cluster: what a person wants of it, and whoever writes it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bookmesh.lab import paths

if TYPE_CHECKING:  # a command that starts no lab does without
    from bookmesh.kube.api import auditing


@dataclass(frozen=True, slots=True)
class Wanted:
    """The text of an audit policy, which can be read, and the absolute path of the log."""

    policy: str
    log: Path


def wanted(policy: str, log: Path) -> Wanted:
    """
    Check what a person asks for.

    Raises:
        ValueError: the policy is none. OSError: the log cannot be written.
    """
    from bookmesh.kube.schema import audit_policies  # costs an import that most commands do without

    audit_policies.Policy(_document(policy))
    os.close(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    return Wanted(policy, log.absolute())


@contextlib.contextmanager
def opened(lab: paths.LabPaths, log: str) -> Iterator[auditing.Auditor | None]:
    """Whoever writes the requests of a cluster down, until the end; None where there is no log."""
    if not log:
        yield None
        return
    from bookmesh.kube.api import auditing
    from bookmesh.kube.schema import audit_policies

    policy = audit_policies.Policy(_document(lab.audit_policy.read_text()))
    file = auditing.File(Path(log))
    try:
        yield auditing.Auditor(policy, file.write)
    finally:
        file.close()


def _document(text: str) -> object:
    """Raises ValueError when it is no YAML."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML: {error}") from error
