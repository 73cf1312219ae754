"""The options of both commands that start a cluster: its port, its Internet, and the size of its node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

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
