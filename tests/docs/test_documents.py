"""What the documents say is true: commands exist, links lead somewhere, generated pages are up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bookmesh.cli import main as cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
PIPELINES = sorted((ROOT / "docs" / "guides").rglob("ci/*.yaml"))
GENERATORS = sorted((ROOT / "tools").glob("gen_*.py"))
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
COMMAND = re.compile(r"\bbookmesh ([a-z][a-z-]+)((?: --[a-z-]+)*)")


def test_there_is_something_to_check() -> None:
    assert len(DOCUMENTS) > 5
    assert len(GENERATORS) >= 3
    assert len(PIPELINES) == 2


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(document: Path) -> None:
    missing = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert missing == []


def test_every_file_on_the_walks_through_the_architecture_is_there() -> None:
    walks = (ROOT / "docs" / "architecture.md").read_text().partition("## One YAML")[2]
    named = set(re.findall(r"`([a-z_/]+\.py)`", walks))
    assert len(named) > 30
    known = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    missing = {
        name for name in named if not any(path.endswith(f"/{name}") for path in (f"/{one}" for one in known))
    }
    assert missing == set()


@pytest.mark.parametrize(
    "document", [*DOCUMENTS, *PIPELINES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_commands_and_their_options_exist(document: Path) -> None:
    context = click.Context(cli.main)
    text = document.read_text()
    blocks = re.findall(r"`[^`]+`|^(?:    |\t).*$|```.*?```", text, re.MULTILINE | re.DOTALL)
    code = text if document in PIPELINES else "\n".join(blocks)
    for name, options in COMMAND.findall(code):
        command = cli.main.get_command(context, name)
        assert command is not None, f"bookmesh {name}"
        known = {option for parameter in command.params for option in parameter.opts}
        for option in options.split():
            assert option in known or name == "kubectl", f"bookmesh {name} {option}"


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda path: path.name)
def test_generated_pages_are_up_to_date(generator: Path) -> None:
    done = subprocess.run(
        [sys.executable, generator, "--check"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        for target in re.findall(r"`make ([a-z-]+)`", document.read_text()):
            assert target in targets, f"{document.name}: make {target}"
