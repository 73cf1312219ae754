"""Helm through the program `helm`, for those who want theirs to do it: its version, its plugins, its name on fields."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import manifests
from bookmesh.release.contracts import ReleaseId
from bookmesh.release.files import Wanted
from bookmesh.release.ports import HelmFailedError, Installed, NotInstalledError

TIMEOUT_S: Final = 300
_NOT_FOUND: Final = "release: not found"
_STATES: Final = ("--deployed", "--failed", "--pending", "--superseded", "--uninstalling")


class ProgramHelm:
    """Implements `ports.Helm`. `kubeconfig` None and `context` "" mean what they mean to kubectl."""

    def __init__(self, program: Path, *, kubeconfig: Path | None = None, context: str = "") -> None:
        self._command = [str(program)]
        if kubeconfig is not None:
            self._command += ["--kubeconfig", str(kubeconfig)]
        if context:
            self._command += ["--kube-context", context]

    def render(self, wanted: Wanted) -> list[JsonObject]:
        text = self._change("template", wanted, "--is-upgrade", "--no-hooks")
        return manifests.parse(text)

    def installed(self, namespace: str) -> Sequence[Installed]:
        return [
            Installed(
                ReleaseId(namespace, one["name"]),
                int(one["revision"]),
                tuple(manifests.parse(self._run("get", "manifest", one["name"], namespace=namespace))),
                one["status"] == "deployed",
            )
            for one in json.loads(self._run("list", *_STATES, "--output", "json", namespace=namespace))
        ]

    def apply(self, wanted: Wanted) -> int:
        if self._settle(wanted.release):
            done = self._change("upgrade", wanted, "--reset-values", "--output", "json")
        else:
            done = self._change("install", wanted, "--create-namespace", "--output", "json")
        return int(json.loads(done)["version"])

    def manifest(self, release: ReleaseId, revision: int) -> list[JsonObject]:
        arguments = ("get", "manifest", release.name, "--revision", str(revision))
        return manifests.parse(self._run(*arguments, namespace=release.namespace))

    def roll_back(self, release: ReleaseId, revision: int) -> None:
        self._run("rollback", release.name, str(revision), namespace=release.namespace)

    def uninstall(self, release: ReleaseId) -> None:
        self._run("uninstall", release.name, "--wait", namespace=release.namespace)

    def _settle(self, release: ReleaseId) -> bool:
        """Whether a release is there to be upgraded, once an action that never ended is undone."""
        try:
            history = self._history(release)
        except NotInstalledError:
            return False
        back = manifests.way_back(history)
        if back == 0:
            self.uninstall(release)
        elif back is not None:
            self.roll_back(release, back)
        return back != 0

    def _history(self, release: ReleaseId) -> list[dict[str, Any]]:
        text = self._run("history", release.name, "--output", "json", namespace=release.namespace)
        found: list[dict[str, Any]] = json.loads(text)
        return found

    def _change(self, verb: str, wanted: Wanted, *arguments: str) -> str:
        """A verb that takes a release, a chart and values."""
        whole = (verb, wanted.release.name, str(wanted.chart), "--values", "-", *arguments)
        return self._run(*whole, namespace=wanted.release.namespace, stdin=json.dumps(dict(wanted.values)))

    def _run(self, *arguments: str, namespace: str, stdin: str = "") -> str:
        command = [*self._command, *arguments, "--namespace", namespace]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=TIMEOUT_S * 2, check=False
        )
        if done.returncode:
            message = done.stderr.strip() or done.stdout.strip()
            raise (NotInstalledError if _NOT_FOUND in message else HelmFailedError)(message)
        return done.stdout
