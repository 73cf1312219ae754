"""
Where a lab keeps its files. One directory a lab, mode 0700; `down` removes it whole.

    <root>/<name>/lab.json      port, slot and extent of the lab, as it last ran; read by commands and the next `up`
    <root>/<name>/daemon.pid    process id and start time of the lab process, as the host sees them
    <root>/<name>/daemon.log    what the lab process has to say
    <root>/<name>/store.db      every Kubernetes object
    <root>/<name>/pki/          the lab's certificate authorities and keys
    <root>/<name>/kubeconfig    0600; one context, named after the lab
    <root>/<name>/hosts.yaml    hosts that a person added to the simulated Internet
    <root>/<name>/audit-policy.yaml  what goes to the audit log, where there is one
    <root>/<name>/internet.log  what its servers have to say
    <root>/<name>/ca-certificates.crt  the host's trusted certificates and that of the simulated Internet
    <root>/<name>/bin/          shims that `bookmesh env` puts on PATH
    <root>/<name>/node/         volumes and logs of pods
    <root>/<name>/images/       images that a person loaded

<root> is $BOOKMESH_HOME, else $XDG_STATE_HOME/bookmesh, else ~/.local/state/bookmesh.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from bookmesh.base import findings

DEFAULT_NAME = "default"
KUBE_NAME = "kube"  # what `bookmesh kube up` makes, beside the lab called "default"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class LabPaths:
    """Paths of one lab; nothing is created by looking."""

    name: str
    directory: Path

    @property
    def settings(self) -> Path:
        return self.directory / "lab.json"

    @property
    def pid(self) -> Path:
        return self.directory / "daemon.pid"

    @property
    def log(self) -> Path:
        return self.directory / "daemon.log"

    @property
    def store(self) -> Path:
        return self.directory / "store.db"

    @property
    def pki(self) -> Path:
        return self.directory / "pki"

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def discovery_cache(self) -> Path:
        return self.directory / "kubectl-cache"

    @property
    def hosts(self) -> Path:
        return self.directory / "hosts.yaml"

    @property
    def audit_policy(self) -> Path:
        return self.directory / "audit-policy.yaml"

    @property
    def bundle(self) -> Path:
        return self.directory / "ca-certificates.crt"

    @property
    def shims(self) -> Path:
        return self.directory / "bin"

    @property
    def node(self) -> Path:
        return self.directory / "node"

    @property
    def claims(self) -> Path:
        """What is in volumes, a directory for each."""
        return self.node / "claims"

    @property
    def images(self) -> Path:
        return self.directory / "images"

    @property
    def context(self) -> str:
        """The name of the kubeconfig context, cluster and user."""
        return "bookmesh" if self.name == DEFAULT_NAME else f"bookmesh-{self.name}"


def root() -> Path:
    """The directory that holds all labs of this user."""
    if home := os.environ.get("BOOKMESH_HOME"):
        return Path(home)
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "bookmesh"


def paths_for(name: str) -> LabPaths:
    """
    Look up the paths of the lab called `name`.

    Raises:
        BookmeshError: the name is not a DNS label of at most 32 characters.
    """
    if not _NAME.fullmatch(name):
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0107",
                message=f'"{name}" cannot be the name of a lab',
                known="lower-case letters, digits and inner dashes, at most 32 characters",
                hint="for example --name class-2",
            ),
            exit_code=2,
        )
    return LabPaths(name, root() / name)


def lab_names() -> list[str]:
    """Names of the labs that have a directory, sorted; they need not run."""
    directory = root()
    if not directory.is_dir():
        return []
    return sorted(path.name for path in directory.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())
