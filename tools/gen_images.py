"""Write docs/reference/images.md from the image catalogue; `--check` fails when it is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from bookmesh.lab.images import catalogue

TARGET = Path(__file__).parent.parent / "docs" / "reference" / "images.md"


def render() -> str:
    lines = [
        "# Images",
        "",
        "What runs in the lab for a container image. The first line wins whose patterns match the whole repository",
        "(registry, path and name) and the whole tag. An image that no line matches gives `ErrImagePull`.",
        "",
        "This page is generated from the catalogue: `make gen`.",
        "",
        "| repository | tag | runs | environment |",
        "|---|---|---|---|",
    ]
    for entry in catalogue.load():
        environment = " ".join(f"`{name}={value}`" for name, value in entry.env.items())
        lines.append(
            f"| {_code(entry.repository.pattern)} | {_code(entry.tag.pattern)} | {_runs(entry)} | {environment} |"
        )
    return "\n".join(lines) + "\n"


def _runs(entry: catalogue.Entry) -> str:
    if "python" in entry.run:
        arguments = " ".join(entry.run.get("args", []))
        needs = "".join(
            f" and the host's `{program}` (Debian: `{package}`)"
            for program, package in entry.run.get("needs", {}).items()
        )
        return f"Python `{entry.run['python']}` {arguments}".strip() + needs
    if "program" in entry.run:
        return f"the host's `{entry.run['program']}` (Debian: `{entry.run['package']}`)"
    return "the real Envoy"


def _code(pattern: str) -> str:
    return "`" + pattern.replace("|", "\\|") + "`"


def main() -> None:
    if "--check" in sys.argv:
        if not TARGET.exists() or TARGET.read_text() != render():
            sys.exit(f"{TARGET.relative_to(Path.cwd())} is not up to date: run make gen")
        return
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(render())


if __name__ == "__main__":
    main()
