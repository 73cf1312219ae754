"""Write the requirements of Bookinfo's images out of requirements.lock; `--check` fails when they are old."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
FOLDER = ROOT / "images" / "bookinfo"
COMMON = (
    *("aiohttp", "httptools", "jinja2", "msgspec", "prometheus-client", "uvloop"),
    *("opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk"),
)
DATABASES = ("aiomysql", "asyncpg", "pymongo")
HEAD = "# What an image of Bookinfo has besides its base. Generated from requirements.lock: make gen\n"


def blocks(lock: str) -> dict[str, str]:
    """Split a lock file into its packages: the pinned line with hashes and who wants it."""
    found = re.findall(r"^([a-z0-9][a-z0-9.-]*)==.*\n(?: .*\n)*", lock, re.MULTILINE)
    texts = re.findall(r"^[a-z0-9][a-z0-9.-]*==.*\n(?: .*\n)*", lock, re.MULTILINE)
    return dict(zip(found, texts, strict=True))


def closure(packages: dict[str, str], roots: Iterable[str]) -> list[str]:
    """Names of packages and of all that they want, sorted; KeyError for a root that is not pinned."""
    wanted = {name for name in roots if packages[name]}
    while True:
        more = {name for name, text in packages.items() if wanted & wanted_by(text)} - wanted
        if not more:
            return sorted(wanted)
        wanted |= more


def wanted_by(text: str) -> set[str]:
    """Who wants a package: what stands behind `# via`."""
    _, _, comment = text.partition("# via")
    return set(re.findall(r"^\s*(?:#\s*)?([a-z0-9][a-z0-9.-]*)\s*$", comment, re.MULTILINE))


def render() -> dict[Path, str]:
    packages = blocks(LOCK.read_text())
    common = closure(packages, COMMON)
    databases = [name for name in closure(packages, DATABASES) if name not in common]
    return {
        FOLDER / "requirements.txt": _page(packages, common),
        FOLDER / "requirements-databases.txt": _page(packages, databases),
    }


def _page(packages: dict[str, str], names: list[str]) -> str:
    pins = (re.sub(r"^ +#.*\n", "", packages[name], flags=re.MULTILINE) for name in names)
    return HEAD + "".join(pins)


def main() -> None:
    pages = render()
    if "--check" in sys.argv:
        old = [path.name for path, text in pages.items() if not path.exists() or path.read_text() != text]
        if old:
            sys.exit(f"images/bookinfo: {', '.join(old)} not up to date: run make gen")
        return
    for path, text in pages.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
