"""The size of a node, as people give it."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from bookmesh.cli import start_options


@click.command()
@start_options.size
def command(node_cpu: str | None, node_memory: str | None) -> None:
    click.echo(repr(start_options.size_of(node_cpu=node_cpu, node_memory=node_memory)))


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ([], "None"),
        (["--node-cpu", "1500m"], "{'cpu': '1500m'}"),
        (["--node-cpu", "2", "--node-memory", "4Gi"], "{'cpu': '2', 'memory': '4Gi'}"),
    ],
)
def test_sizes_are_quantities(arguments: list[str], size: str) -> None:
    assert CliRunner().invoke(command, arguments).output == f"{size}\n"


@pytest.mark.parametrize("amount", ["two", "0", "-1"])
def test_what_is_no_size_is_a_misuse(amount: str) -> None:
    result = CliRunner().invoke(command, ["--node-cpu", amount])
    assert result.exit_code == 2
    assert f'"{amount}" is not' in result.output
