"""`bookmesh completion`: a script by which a shell completes commands, options and their values."""

from __future__ import annotations

import click
from click import shell_completion

PROGRAM = "bookmesh"
VARIABLE = "_BOOKMESH_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for bash (4.4 or later), zsh or fish."""
    kind = shell_completion.get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    try:
        click.echo(kind(context.find_root().command, {}, PROGRAM, VARIABLE).source())
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error
