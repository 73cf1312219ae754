"""`bookmesh down`."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from bookmesh.cli import terminal
from bookmesh.lab import launching, paths


@click.command()
@terminal.name_option
@click.option("--all", "every", is_flag=True, help="Stop every lab of this user.")
def down(name: str, every: bool) -> None:
    """Stop the lab and remove all of it: processes, namespaces, mounts, files."""
    end(paths.lab_names() if every else [name])


def end(names: Sequence[str]) -> None:
    """End labs, one after the other, and say so."""
    console = terminal.stderr()
    with terminal.failures():
        for lab in [paths.paths_for(each) for each in names]:
            removed = launching.stop(lab)
            console.print(f"bookmesh {lab.name} is gone" if removed else f"bookmesh {lab.name} was not there")
            if os.environ.get("KUBECONFIG") == str(lab.kubeconfig):
                console.print("kubectl in this shell still looks for it: unset KUBECONFIG KUBECACHEDIR")
