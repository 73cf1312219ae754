"""`--node-cpu` and `--node-memory`: the size of the node, for both commands that start one."""

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


def options(command: Command) -> Command:
    """Add both options to a command."""
    told = "offers, such as {}; pods whose requests do not fit stay Pending (default: no limit)."
    for name, example in (("memory", "4Gi"), ("cpu", "2 or 1500m")):
        text = f"{name.upper() if name == 'cpu' else name.capitalize()} that the node {told.format(example)}"
        command = click.option(f"--node-{name}", type=_Quantity(), help=text)(command)
    return command


def size_of(*, node_cpu: str | None, node_memory: str | None) -> dict[str, str] | None:
    """What the node shall offer; None when nothing was said."""
    given = {"cpu": node_cpu, "memory": node_memory}
    return {name: quantity for name, quantity in given.items() if quantity} or None
