"""A cluster as these commands see it: stock kubectl with somebody's kubeconfig, nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import click
import orjson

from bookmesh.lab import client

PROXY_CONTAINER = "istio-proxy"


class Kubectl:
    """Runs kubectl; `flags` go before every command. What fails ends the command with kubectl's words."""

    def __init__(self, environment: Mapping[str, str], flags: Sequence[str] = ()) -> None:
        self._environment = {**os.environ, **environment}
        self._flags = tuple(flags)

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """
        Run one command and give its output.

        Raises:
            ClickException: it failed.
        """
        done = subprocess.run(
            self._command(arguments),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise click.ClickException(done.stderr.strip() or f"kubectl exited {done.returncode}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """Run one command whose output is JSON."""
        return orjson.loads(self.run(*arguments))

    def find(self, *arguments: str) -> Any | None:
        """`kubectl get … -o json`, or None when there is no such object."""
        found = self.run("get", *arguments, "--ignore-not-found", "-o", "json")
        return orjson.loads(found) if found.strip() else None

    def stay(self, *arguments: str) -> int:
        """
        Run a command that stays, until it ends or we are told to; what it says about itself is not shown.

        We stay too, and under our own name: tasks end a dashboard by that.

        Returns:
            The exit code; 0 when we were told to end.
        """
        children: list[subprocess.Popen[bytes]] = []
        told: list[int] = []

        def end(number: int, _frame: object) -> None:
            told.append(number)
            for child in children:
                child.terminate()

        # First of all: we may be told to end while the child is being started.
        before = {
            number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        try:
            command = self._command(arguments)
            child = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)
            children.append(child)
            if told:
                child.terminate()
            code = child.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return 0 if told else code

    def ask_envoy(self, pod: str, namespace: str, path: str, *, method: str = "GET") -> str:
        """Ask the admin interface of a pod's Envoy, from inside its container."""
        where = ("-n", namespace, pod, "-c", PROXY_CONTAINER)
        return self.run("exec", *where, "--", "pilot-agent", "request", method, path)

    def ask_lab(self, path: str) -> Any:
        """
        Ask the lab behind this cluster.

        Raises:
            ClickException: it does not answer, or the cluster is not a lab.
        """
        try:
            return self.json("get", "--raw", path)
        except click.ClickException as error:
            message = (
                f"{error.message}\nThis command asks Bookmesh itself: the cluster must be a running lab."
            )
            raise click.ClickException(message) from error

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [str(client.find_kubectl()), *self._flags, *arguments]
