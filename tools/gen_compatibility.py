"""
Write docs/reference/compatibility.md: which client was seen to do what.

    python tools/gen_compatibility.py            write the page
    python tools/gen_compatibility.py --check    exit 1 when the page is not what would be written

A cell is *tested* when a test in tests/clients claims it: `@pytest.mark.covers("kubectl", "rollout undo")`. Claims are
read from the files; a run of these tests fails when a claimed cell was not shown. What is not tested stands in
docs/reference/compatibility.yaml, with a number of the differences or a reason, and so do the rows of kubectl.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests" / "clients"
PLAN = ROOT / "docs" / "reference" / "compatibility.yaml"
PAGE = PLAN.with_suffix(".md")
DIFFERENCES = ROOT / "docs" / "reference" / "differences"
KUBECTLS = ("1.36", "1.37")
HEAD = """\
# Compatibility

<!-- Generated from tests/clients and docs/reference/compatibility.yaml: change them, then run `make gen`. -->

Which client was seen to do what with Bookmesh's Kubernetes API. Clients are unmodified. *tested*: a test does it and
passes, in each run of the suite. *differs*: it works otherwise than on a cluster; the number leads to the
[list of differences](differences.md). *not supported*: it is refused.

## kubectl

"""
OTHERS = """\

## Helm and Python clients

An empty cell: the client has no such thing, or nobody has tried it.

"""

Claims = set[tuple[str, str]]


def read_claims(folder: Path) -> Claims:
    """(client, verb) of every `covers` mark on a test or class below a folder."""
    return {
        (call[0], verb)
        for path in sorted(folder.rglob("test_*.py"))
        for call in _marks(ast.parse(path.read_text()))
        for verb in call[1:]
    }


def _marks(tree: ast.Module) -> Iterator[list[str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.covers":
                    yield [ast.literal_eval(argument) for argument in decorator.args]


def build_page(plan: dict[str, Any], claims: Claims, differences: set[str]) -> str:
    """
    Build the page.

    Raises:
        ValueError: a verb has no evidence, a claim no row, or a difference no entry.
    """
    otherwise = {(one["client"], one["verb"]): _word(one, differences) for one in plan["otherwise"]}
    words = dict.fromkeys(claims, "tested") | otherwise
    rows = [verb for section in plan["kubectl"] for verbs in section.values() for verb in verbs]
    for client, verb in words:
        if client == "kubectl" and verb not in rows:
            raise ValueError(f"kubectl {verb}: claimed by a test, and in no row of {PLAN.name}")
    both = sorted(set(otherwise) & claims)
    if both:
        raise ValueError(f"{both[0][0]} {both[0][1]}: tested, and in {PLAN.name} as if it were not")
    return HEAD + _kubectl(plan["kubectl"], words) + OTHERS + _others(words) + _reasons(plan["otherwise"])


def _word(entry: dict[str, str], differences: set[str]) -> str:
    number = entry.get("differs")
    if number is None:
        return "not supported"
    if number not in differences:
        raise ValueError(f"{entry['client']} {entry['verb']}: there is no difference {number}")
    return f"differs ({number})"


def _kubectl(sections: list[dict[str, list[str]]], words: dict[tuple[str, str], str]) -> str:
    lines = [f"| verb | {' | '.join(KUBECTLS)} |", "|---" * (len(KUBECTLS) + 1) + "|"]
    for section in sections:
        for title, verbs in section.items():
            lines.append(f"| **{title}** |" + " |" * len(KUBECTLS))
            for verb in verbs:
                word = words.get(("kubectl", verb))
                if word is None:
                    raise ValueError(f"kubectl {verb}: no test shows it, and {PLAN.name} does not say why")
                lines.append(f"| `{verb}` |" + f" {word} |" * len(KUBECTLS))
    return "\n".join(lines) + "\n"


def _others(words: dict[tuple[str, str], str]) -> str:
    clients = sorted({client for client, _ in words if client != "kubectl"}, key=str.lower)
    verbs = sorted({verb for client, verb in words if client != "kubectl"})
    lines = [f"| what | {' | '.join(clients)} |", "|---" * (len(clients) + 1) + "|"]
    for verb in verbs:
        cells = [words.get((client, verb), "") for client in clients]
        lines.append(f"| {verb} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _reasons(otherwise: list[dict[str, str]]) -> str:
    lines = [f"- {one['client']} `{one['verb']}`: {one['why']}" for one in otherwise if "why" in one]
    return "\n## Not supported, and why\n\n" + "\n".join(lines) + "\n" if lines else ""


def main() -> None:
    differences = {path.stem for path in DIFFERENCES.glob("BM-D*.yaml")}
    try:
        page = build_page(yaml.safe_load(PLAN.read_text()), read_claims(TESTS), differences)
    except ValueError as error:
        sys.exit(str(error))
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text() != page:
            sys.exit(f"{PAGE.relative_to(ROOT)} is not up to date: run make gen")
        return
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
