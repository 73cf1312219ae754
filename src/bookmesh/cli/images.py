"""`bookmesh image`: images of a person's own, from files into a lab, whether it runs or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bookmesh.cli import examples, terminal
from bookmesh.cli.istioctl import tables
from bookmesh.lab import labs, paths

_MEBIBYTE = 1 << 20


@click.group()
def image() -> None:
    """
    Images of your own: pods run from their root file systems.

    Nothing is pulled: an image comes from a file, and is used in place of a stand-in of the same name. A running lab
    sees it at once, for containers that start from then on; "bookmesh down" removes it with the lab.
    """


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--as",
    "reference",
    metavar="NAME",
    help="The name of the image, instead of the one in the archive.",
)
@terminal.name_option
@terminal.output_option
def load(path: Path, reference: str | None, name: str, output: str) -> None:
    """
    Load images from PATH: a tar of docker save, an OCI layout (a folder, or a tar of one).

    All of it is checked against its digests. An archive that cannot be used changes nothing.
    """
    from bookmesh.lab.images import listing, loading, store

    with terminal.failures():
        lab = paths.paths_for(name)
        labs.make_directory(lab)
        loaded = loading.load(path, store.ImageStore(lab.images), name=reference)
        rows = listing.rows(store.ImageStore(lab.images), [one for each in loaded for one in each.references])
    if output == "json":
        _print_json({"images": rows})
        return
    console = terminal.stderr()
    for row in rows:
        instead = f", in place of the stand-in {row['stand_in']}" if row["stand_in"] else ""
        console.print(f"loaded {row['reference']} ({row['platform']}, {_size(row)}){instead}")


@click.command("list")
@click.argument("references", nargs=-1, metavar="[NAME]...")
@terminal.name_option
@terminal.output_option
def list_images(references: tuple[str, ...], name: str, output: str) -> None:
    """List the loaded images; with NAMEs, say whether a loaded image, a stand-in or nothing runs for each of them."""
    from bookmesh.lab.images import listing, store

    with terminal.failures():
        loaded = store.ImageStore(paths.paths_for(name).images)
        rows = listing.rows(loaded, references or loaded.names())
    if output == "json":
        _print_json({"images": rows})
    else:
        _print_table(rows)


@click.command()
@click.argument("references", nargs=-1, required=True, metavar="NAME...")
@terminal.name_option
def remove(references: tuple[str, ...], name: str) -> None:
    """Remove loaded images. Containers that run from them go on; a stand-in of the same name is used again."""
    from bookmesh.lab.images import listing, store

    with terminal.failures():
        lab = paths.paths_for(name)
        for removed in listing.remove(store.ImageStore(lab.images), references, lab=lab.name):
            terminal.stderr().print(f"removed {removed}")


for _name, _command in {"load": load, "list": list_images, "remove": remove}.items():
    image.add_command(examples.attach(f"image {_name}", _command), _name)


def _print_json(body: dict[str, Any]) -> None:
    terminal.print_json(body)


def _print_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        terminal.stderr().print("no image was loaded: bookmesh image load FILE")
        return
    cells = [
        (
            row["reference"],
            row["answers"],
            row["stand_in"] or "",
            (row["digest"] or "").removeprefix("sha256:")[:12],
            row["platform"] or "",
            _size(row),
        )
        for row in rows
    ]
    click.echo(tables.render(("IMAGE", "ANSWERS", "STAND-IN", "DIGEST", "PLATFORM", "SIZE"), cells, gap=3))


def _size(row: dict[str, Any]) -> str:
    return "" if row["bytes"] is None else f"{row['bytes'] / _MEBIBYTE:.1f} MiB"
