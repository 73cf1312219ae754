"""The one action of a step: apply, delete, exec, request, wait or secret, and waiting until it is done."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from bookmesh.base import durations
from bookmesh.tasks import certificates, manifests, probing
from bookmesh.tasks import format as formats
from bookmesh.tasks.kubectl import ClusterError, Kubectl

ROLLOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Acted:
    """
    `detail`: what was done, in full. `output`: what it said. `error`: why it failed, "" when it did not. `strays`:
    objects that are not the task's to make, because of which nothing was done. `rolled_out_s` is the part of `took_s`
    in which pods were waited for.
    """

    detail: str
    output: str
    error: str
    took_s: float = 0.0
    strays: tuple[str, ...] = ()
    rolled_out_s: float = 0.0


class Actor:
    """Acts in one run's namespace."""

    def __init__(self, task: formats.Task, prober: probing.Prober, cluster_wide: frozenset[str]) -> None:
        self._prober = prober
        self._kubectl = prober.kubectl
        self._namespace = prober.namespace
        self._cluster_wide = cluster_wide
        self._authorities: dict[str, certificates.Authority] = {}
        self._declared = frozenset(
            manifests.Identity(each.kind, each.namespace, each.name) for each in task.elsewhere
        )

    def act(self, step: formats.Step) -> Acted:
        """Do what the step says; what fails is in the answer."""
        began = time.monotonic()
        try:
            acted = self._act(step)
        except (ClusterError, ValueError, OSError) as error:
            acted = Acted("", "", str(error))
        return replace(acted, took_s=time.monotonic() - began)

    def _act(self, step: formats.Step) -> Acted:
        if step.apply is not None:
            return self._apply(step.apply)
        if step.delete is not None:
            return self._delete(step.delete)
        if step.exec is not None:
            done = self._prober.execute(step.exec)
            error = f"exit code {done.exit}: {done.output}" if done.exit else ""
            return Acted(f"kubectl exec {step.exec.of} -- {' '.join(step.exec.command)}", done.output, error)
        if step.request is not None:
            return self._send(step.request)
        if step.wait is not None:
            arguments = ["wait", f"--for={step.wait.for_}", *step.wait.of]
            limit_s = durations.parse_duration_s(step.within)
            done = self._kubectl.run(
                *arguments, "-n", self._namespace, f"--timeout={limit_s:g}s", timeout_s=limit_s + 5
            )
            return Acted(f"kubectl {' '.join(arguments)}", done.output, done.output if done.exit else "")
        if step.secret is not None:
            return self._issue(step.secret)
        raise AssertionError("a step without an action")  # rules.check_task refuses it

    def _apply(self, entries: tuple[str | dict[str, Any], ...]) -> Acted:
        """Apply in one go, then wait until what has pods is rolled out."""
        text = manifests.read(entries, self._prober.directory, self._namespace)
        try:
            documents = manifests.parse(text)
        except ValueError as error:
            raise ValueError(manifests.blame(entries, self._prober.directory) or str(error)) from error
        outside = manifests.strays(
            documents, namespace=self._namespace, cluster_wide=self._cluster_wide, declared=self._declared
        )
        if outside:
            return Acted(text, "", "", strays=tuple(str(identity) for identity in outside))
        own = [each for each in documents if manifests.identify(each).namespace in ("", self._namespace)]
        output = []
        for group, flags in (
            (own, ["-n", self._namespace]),
            ([document for document in documents if document not in own], []),
        ):
            if group:
                done = self._kubectl.must("apply", *flags, "-f", "-", stdin=_dump(group, text, documents))
                output.append(done.output)
        began = time.monotonic()
        for namespace, rolled in manifests.rollouts(documents, self._namespace).items():
            self._roll_out(namespace, rolled)
        return Acted(text, "\n".join(output), "", rolled_out_s=time.monotonic() - began)

    def _roll_out(self, namespace: str, names: list[str]) -> None:
        arguments = ("rollout", "status", "-n", namespace, *names, f"--timeout={ROLLOUT_S:g}s")
        done = self._kubectl.run(*arguments, timeout_s=ROLLOUT_S + 5)
        if done.exit:
            pods = self._kubectl.run("get", "pods", "-n", namespace).stdout.strip()
            raise ClusterError(f"not rolled out within {ROLLOUT_S:g} s: {', '.join(names)}\n{pods}")

    def _delete(self, entries: tuple[str | dict[str, Any], ...]) -> Acted:
        named = [entry for entry in entries if isinstance(entry, str) and self._is_name(entry)]
        files = [entry for entry in entries if entry not in named]
        output, detail = [], list(named)
        if named:
            output.append(self._kubectl.must("delete", "-n", self._namespace, *named).output)
        if files:
            text = manifests.read(files, self._prober.directory, self._namespace)
            detail.append(text)
            output.append(self._kubectl.must("delete", "-n", self._namespace, "-f", "-", stdin=text).output)
        return Acted("\n".join(detail), "\n".join(output), "")

    def _send(self, request: formats.Request) -> Acted:
        observation = self._prober.send(request)
        statuses = [each.error or str(each.status) for each in observation.exchanges]
        counted = ", ".join(f"{status} x {statuses.count(status)}" for status in dict.fromkeys(statuses))
        return Acted(f"{request.method} {request.url} from {request.from_} x {request.n}", counted, "")

    def _issue(self, secret: formats.Secret) -> Acted:
        """Sign with the run's authority of that name; it is made when it is first asked for."""
        authority = self._authorities.setdefault(secret.authority, certificates.Authority(secret.authority))
        self._prober.authorities[secret.authority] = authority.pem
        document = authority.issue_secret(
            name=secret.name, namespace=secret.namespace or self._namespace, hosts=secret.hosts
        )
        self._prober.identities[secret.name] = "".join(
            document["stringData"][key] for key in ("tls.crt", "tls.key")
        )
        acted = self._apply((document,))
        return replace(
            acted, detail=f"Secret {secret.name} for {', '.join(secret.hosts)} by {secret.authority}"
        )

    def _is_name(self, entry: str) -> bool:
        return not (self._prober.directory / entry).is_file()


def cluster_wide_kinds(kubectl: Kubectl) -> frozenset[str]:
    """
    Ask the cluster which kinds have no namespace.

    Raises:
        ClusterError: the cluster does not answer.
    """
    done = kubectl.must("api-resources", "--namespaced=false", "--no-headers")
    return frozenset(line.split()[-1] for line in done.stdout.splitlines() if line.strip())


def _dump(group: list[dict[str, Any]], text: str, documents: list[dict[str, Any]]) -> str:
    """Send the text as it was written where all of it goes to one place."""
    if len(group) == len(documents):
        return text
    import yaml

    return yaml.safe_dump_all(group, sort_keys=False)
