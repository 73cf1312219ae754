"""Helm through its own library, in this process: no program `helm` is needed."""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import helm_python

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import manifests
from bookmesh.release.contracts import ReleaseId
from bookmesh.release.files import Wanted
from bookmesh.release.ports import HelmFailedError, Installed, NotInstalledError

TIMEOUT_S: Final = 300


class SdkHelm:
    """Implements `ports.Helm`. `kubeconfig` None and `context` "" mean what they mean to kubectl."""

    def __init__(self, *, kubeconfig: Path | None = None, context: str = "") -> None:
        self._kubeconfig = kubeconfig
        self._context = context or None
        self._config = functools.cache(self._open)

    def render(self, wanted: Wanted) -> list[JsonObject]:
        try:
            with _open_chart(wanted.chart) as chart:
                files = chart.render(
                    dict(wanted.values),
                    name=wanted.release.name,
                    namespace=wanted.release.namespace,
                    is_upgrade=True,
                )
        except helm_python.HelmError as error:
            raise HelmFailedError(f"{wanted.chart}: {error}") from error
        return manifests.parse(
            "\n---\n".join(text for name, text in files.items() if not name.endswith(".txt"))
        )

    def installed(self, namespace: str) -> Sequence[Installed]:
        try:
            config = self._config(namespace)
            names = [one["name"] for one in config.list(all_states=True)]
            return [_installed(config.status(name), namespace) for name in names]
        except helm_python.HelmError as error:
            raise HelmFailedError(str(error)) from error

    def apply(self, wanted: Wanted) -> int:
        config, name = self._config(wanted.release.namespace), wanted.release.name
        try:
            with _open_chart(wanted.chart) as chart:
                if _settle(config, name):
                    done = config.upgrade(
                        chart, name, dict(wanted.values), reset_values=True, timeout=TIMEOUT_S
                    )
                else:
                    done = config.install(
                        chart, name, dict(wanted.values), create_namespace=True, timeout=TIMEOUT_S
                    )
        except helm_python.HelmError as error:
            raise HelmFailedError(str(error)) from error
        return manifests.revision(done)

    def manifest(self, release: ReleaseId, revision: int) -> list[JsonObject]:
        try:
            summary = self._config(release.namespace).status(release.name, revision=revision)
        except helm_python.HelmError as error:
            raise HelmFailedError(str(error)) from error
        return manifests.parse(summary.get("manifest") or "")

    def roll_back(self, release: ReleaseId, revision: int) -> None:
        try:
            self._config(release.namespace).rollback(release.name, version=revision, timeout=TIMEOUT_S)
        except helm_python.HelmError as error:
            raise HelmFailedError(str(error)) from error

    def uninstall(self, release: ReleaseId) -> None:
        try:
            self._config(release.namespace).uninstall(release.name, timeout=TIMEOUT_S, wait="legacy")
        except helm_python.HelmNotFoundError as error:
            raise NotInstalledError(str(error)) from error
        except helm_python.HelmError as error:
            raise HelmFailedError(str(error)) from error

    def _open(self, namespace: str) -> helm_python.Config:
        return helm_python.Config(
            kubeconfig_path=self._kubeconfig, kube_context=self._context, namespace=namespace
        )


def _settle(config: helm_python.Config, name: str) -> bool:
    """
    Whether a release is there to be upgraded.

    Helm refuses to touch one whose last action never ended, as a killed process leaves it: it goes back to what was
    deployed before, or, when nothing was, away. The caller holds the lock, so nobody is at it any more.
    """
    try:
        back = manifests.way_back(config.history(name))
    except helm_python.HelmNotFoundError:
        return False
    if back == 0:
        config.uninstall(name, timeout=TIMEOUT_S, wait="legacy")
    elif back is not None:
        config.rollback(name, version=back, timeout=TIMEOUT_S)
    return back != 0


@contextlib.contextmanager
def _open_chart(path: Path) -> Iterator[helm_python.Chart]:
    """
    Load a chart. One with symbolic links, such as ours to their library, is copied first: Helm follows them, but says
    so for each on stderr, whoever owns that.
    """
    with contextlib.ExitStack() as stack:
        if path.is_dir() and any(part.is_symlink() for part in path.rglob("*")):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookmesh-chart-")))
            path = Path(shutil.copytree(path, folder / path.resolve().name))
        yield stack.enter_context(helm_python.Chart.load(path))


def _installed(summary: dict[str, Any], namespace: str) -> Installed:
    return Installed(
        ReleaseId(namespace, summary["name"]),
        manifests.revision(summary),
        tuple(manifests.parse(summary.get("manifest") or "")),
        summary.get("status") == "deployed",
    )
