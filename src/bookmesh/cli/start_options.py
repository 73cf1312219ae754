"""The options of commands that start a cluster: its port, its Internet, its audit log, and the size of its node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bookmesh.lab import audits

Command = TypeVar("Command", bound=Callable[..., Any])


class _Quantity(click.ParamType[str]):
    """An amount in Kubernetes' notation, more than nothing."""

    name = "quantity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from bookmesh.kube.schema import quantities  # costs an import that most commands do without

        try:
            amount = quantities.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if amount <= 0:
            self.fail(f'"{value}" is not more than nothing', param, ctx)
        return str(value)


def port(command: Command) -> Command:
    """Add `--port`."""
    text = "Port of the API server on 127.0.0.1 (default: a free one, the same after a restart)."
    return click.option("--port", type=click.IntRange(1, 65535), help=text)(command)


def internet(command: Command) -> Command:
    """Add `--internet`."""
    text = "Let pods reach the real Internet instead of the simulated one."
    return click.option("--internet", is_flag=True, help=text)(command)


def size(command: Command) -> Command:
    """Add `--node-cpu` and `--node-memory`; `size_of` reads them."""
    told = "offers, such as {}; pods whose requests do not fit stay Pending (default: no limit)."
    for name, example in (("memory", "4Gi"), ("cpu", "2 or 1500m")):
        text = f"{name.upper() if name == 'cpu' else name.capitalize()} that the node {told.format(example)}"
        command = click.option(f"--node-{name}", type=_Quantity(), help=text)(command)
    return command


def size_of(*, node_cpu: str | None, node_memory: str | None) -> dict[str, str] | None:
    """What the node shall offer; None when nothing was said."""
    given = {"cpu": node_cpu, "memory": node_memory}
    return {name: quantity for name, quantity in given.items() if quantity} or None


def audit(command: Command) -> Command:
    """Add `--audit-policy-file` and `--audit-log-path`; `audit_of` reads them."""
    existing = click.Path(exists=True, dir_okay=False, path_type=Path)
    command = click.option(
        "--audit-log-path",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File that requests are written to, an event a line.",
    )(command)
    return click.option(
        "--audit-policy-file",
        type=existing,
        help="Which requests are written down, and how much of them (audit.k8s.io/v1 Policy).",
    )(command)


def audit_of(*, audit_policy_file: Path | None, audit_log_path: Path | None) -> audits.Wanted | None:
    """What shall be written down of requests; None when nothing was said."""
    if audit_policy_file is None and audit_log_path is None:
        return None
    if audit_policy_file is None or audit_log_path is None:
        raise click.UsageError("--audit-policy-file and --audit-log-path go together")
    try:
        return audits.wanted(audit_policy_file.read_text(), audit_log_path)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--audit-policy-file") from error
    except OSError as error:
        raise click.BadParameter(str(error), param_hint="--audit-log-path") from error
