"""A cluster seen through kubectl: the objects that say what releases serve, and a lock that everybody respects."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from bookmesh.base.findings import BookmeshError, Finding
from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import contracts
from bookmesh.release.contracts import ReleaseId
from bookmesh.release.ports import ClusterFailedError

ALWAYS: Final = ("deployments.apps", "pods", "services")
ROUTES: Final = (
    "virtualservices.networking.istio.io",
    "destinationrules.networking.istio.io",
    "httproutes.gateway.networking.k8s.io",
)
LOCK: Final = "bookmesh-releases"
LOCK_S: Final = 30
"""How long the lock of somebody who died is respected; whoever lives renews it in a third of that."""


class Output(Protocol):
    """A finished command."""

    @property
    def exit(self) -> int: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


class Kubectl(Protocol):
    """Runs kubectl against one cluster."""

    def run(self, *arguments: str, stdin: str | None = None) -> Output: ...


class KubectlCluster:
    """Implements `ports.Cluster`. `is_gone` says whether the holder of a lock is known to have ended."""

    def __init__(self, kubectl: Kubectl, *, is_gone: Callable[[str], bool] = lambda _holder: False) -> None:
        self._kubectl = kubectl
        self._is_gone = is_gone
        self._kinds: tuple[str, ...] | None = None

    def objects(self, namespace: str) -> list[JsonObject]:
        if self._kinds is None:
            self._kinds = (*ALWAYS, *(kind for kind in ROUTES if self._serves(kind, namespace)))
        listed = self._get(",".join(self._kinds), "-n", namespace)
        items: list[JsonObject] = listed["items"]
        return items

    def create(self, release: ReleaseId, obj: JsonObject) -> None:
        command = ["create"] if (manager := self._manager(release)) is None else _server_side(manager)
        done = self._kubectl.run(*command, "-n", release.namespace, "-f", "-", stdin=json.dumps(obj))
        if done.exit and "AlreadyExists" in done.stderr:
            self._update(release.namespace, obj)
        elif done.exit:
            raise ClusterFailedError(done.stderr.strip())

    def delete(self, namespace: str, obj: JsonObject) -> None:
        arguments = (obj["kind"].lower(), obj["metadata"]["name"], "-n", namespace, "--ignore-not-found")
        done = self._kubectl.run("delete", *arguments)
        if done.exit:
            raise ClusterFailedError(done.stderr.strip())

    @contextlib.contextmanager
    def lock(self, namespace: str, holder: str) -> Iterator[None]:
        self._take(namespace, holder)
        done = threading.Event()
        renewing = threading.Thread(target=self._keep, args=(namespace, holder, done), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()
            self._kubectl.run("delete", "lease", LOCK, "-n", namespace, "--ignore-not-found")

    def _take(self, namespace: str, holder: str) -> None:
        wanted = json.dumps(_lease(namespace, holder))
        created = self._kubectl.run("create", "-f", "-", stdin=wanted)
        if created.exit and f'namespaces "{namespace}" not found' in created.stderr:
            self._kubectl.run("create", "namespace", namespace)
            created = self._kubectl.run("create", "-f", "-", stdin=wanted)
        if not created.exit:
            return
        if "AlreadyExists" not in created.stderr:
            raise ClusterFailedError(created.stderr.strip())
        lease = self._get("lease", LOCK, "-n", namespace)
        holder_now = lease["spec"].get("holderIdentity", "unknown")
        if not _is_expired(lease, datetime.now(UTC)) and not self._is_gone(holder_now):
            raise BookmeshError(
                Finding(
                    code="BM0607",
                    message=f"somebody else changes releases in namespace {namespace}",
                    where=f"Lease {namespace}/{LOCK}",
                    known=f"holder: {holder_now}",
                    hint="wait until that run is over; the lock of a run that died is gone after half a minute",
                )
            )
        self._replace(_lease(namespace, holder, lease["metadata"]["resourceVersion"]))

    def _keep(self, namespace: str, holder: str, done: threading.Event) -> None:
        while not done.wait(LOCK_S / 3):
            with contextlib.suppress(ClusterFailedError):  # the next one, or the expiry, decides
                self._replace(_lease(namespace, holder))

    def _update(self, namespace: str, obj: JsonObject) -> None:
        """Bring an object in line; what `obj` does not say at all, such as the replicas of an autoscaler, stays."""
        live = self._get(obj["kind"].lower(), obj["metadata"]["name"], "-n", namespace)
        for key, value in obj.items():
            merges = key in {"metadata", "spec"} and isinstance(value, dict)
            live[key] = {**live.get(key, {}), **value} if merges else value
        self._replace(live)

    def _replace(self, obj: JsonObject) -> None:
        replaced = self._kubectl.run("replace", "-f", "-", stdin=json.dumps(obj))
        if replaced.exit:
            raise ClusterFailedError(replaced.stderr.strip())

    def _manager(self, release: ReleaseId) -> str | None:
        """
        The name under which Helm applies this release's objects on the server; None where it does not.

        Fields belong to the name that wrote them: under another one, Helm's next upgrade would be a conflict.
        """
        selector = f"{contracts.INSTANCE}={release.name}"
        services = self._get("services", "-n", release.namespace, "-l", selector, "--show-managed-fields")
        for service in services["items"]:
            for entry in service["metadata"].get("managedFields") or ():
                if entry["operation"] == "Apply" and not entry.get("subresource"):
                    return str(entry["manager"])
        return None

    def _serves(self, kind: str, namespace: str) -> bool:
        asked = self._kubectl.run("get", kind, "-n", namespace, "--ignore-not-found", "-o", "name")
        if asked.exit and "have a resource type" not in asked.stderr:
            raise ClusterFailedError(asked.stderr.strip())
        return not asked.exit

    def _get(self, *arguments: str) -> Any:
        got = self._kubectl.run("get", *arguments, "-o", "json")
        if got.exit:
            raise ClusterFailedError(got.stderr.strip())
        return json.loads(got.stdout)


def _server_side(manager: str) -> list[str]:
    return ["apply", "--server-side", f"--field-manager={manager}"]


def _lease(namespace: str, holder: str, version: str = "") -> JsonObject:
    metadata = {"name": LOCK, "namespace": namespace} | ({"resourceVersion": version} if version else {})
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": LOCK_S, "renewTime": now},
    }


def _is_expired(lease: JsonObject, now: datetime) -> bool:
    spec = lease["spec"]
    renewed = datetime.fromisoformat(spec["renewTime"].replace("Z", "+00:00"))
    return now > renewed + timedelta(seconds=spec.get("leaseDurationSeconds", LOCK_S))
