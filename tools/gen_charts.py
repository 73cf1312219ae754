"""
Write what follows from the charts' own files; `--check` fails when something is not up to date.

- `values.schema.json` of each chart on the library: the library's, with a title of its own. A track takes the keys of a
  pod; the schema spells them out, since Helm's words for a key that is not known are clear then.
- `README.md` of each chart: a table of the comments (`# -- …`) in its values.yaml.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).parent.parent / "charts"
LIBRARY = "microservice"
ON_LIBRARY = ("details", "productpage", "ratings", "reviews")
UMBRELLA = "bookinfo"
CONTRACT_VERSION = r"^[0-9]{1,9}(\.[0-9]{1,9}){0,2}$"
TRACK_ONLY: dict[str, Any] = {
    "enabled": {"type": "boolean"},
    "weight": {"type": "integer", "minimum": 0, "maximum": 100},
    "provides": {
        "type": "object",
        "propertyNames": {"$ref": "#/$defs/contract"},
        "additionalProperties": {"type": "string", "pattern": CONTRACT_VERSION},
    },
}
LINE = re.compile(r"(?P<indent> *)(?P<key>[^\s#:][^:]*):(?P<value>.*)")


def schemas() -> Iterator[tuple[Path, str]]:
    library = json.loads((CHARTS / LIBRARY / "values.schema.json").read_text())
    pod = library["$defs"]["pod"]["properties"]
    # What Helm adds for the library, and what an umbrella says about a chart; people copy this schema for theirs.
    library["properties"] |= {LIBRARY: {"type": "object"}, "enabled": {"type": "boolean"}}
    library["$defs"]["track"] = {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {**TRACK_ONLY, **pod},
    }
    yield CHARTS / LIBRARY / "values.schema.json", dump(library)
    for chart in ON_LIBRARY:
        yield (
            CHARTS / chart / "values.schema.json",
            dump({**library, "title": f"Values of the chart {chart}"}),
        )


def dump(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2) + "\n"


def readme(chart: str) -> str:
    facts = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    values = (CHARTS / chart / "values.yaml").read_text()
    lines = [f"# {chart}", "", facts["description"], ""]
    if facts["type"] == "library":
        lines += [
            "A chart on it needs the dependency in its Chart.yaml, one template with one line,",
            '`{{- include "microservice.all" . }}`, and the values below, at the top level of its own values.yaml.',
            "",
        ]
    else:
        lines += ["```sh", f"helm install {chart} ./charts/{chart}", "```", ""]
        if chart != UMBRELLA:
            lines += [
                f"Takes all values of the library [{LIBRARY}](../{LIBRARY}/README.md); this is what it sets itself.",
                "",
            ]
    table = list(described(values))
    if table:
        lines += ["| value | default | meaning |", "|---|---|---|"]
        lines += [f"| `{path}` | `{default}` | {text} |" for path, default, text in table]
    else:
        lines += ["```yaml", values.rstrip(), "```"]
    return "\n".join([*lines, "", "This page is generated: `make gen`."]) + "\n"


def described(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, default as JSON, and meaning of each value that has a comment `# -- …`, of one or more lines."""
    values = yaml.safe_load(text)
    parents: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# -- "):
            comment = [stripped.removeprefix("# -- ")]
        elif stripped.startswith("#"):
            if comment:
                comment.append(stripped.removeprefix("#").strip())
        elif match := LINE.fullmatch(line):
            indent = len(match["indent"])
            parents = [(depth, key) for depth, key in parents if depth < indent] + [(indent, match["key"])]
            if comment:
                path = [key for _, key in parents]
                yield ".".join(path), default_of(values, path), " ".join(comment).replace("|", "\\|")
            comment = []
        else:
            comment = []


def default_of(values: Any, path: list[str]) -> str:
    for key in path:
        values = values[key]
    return json.dumps(values).replace("|", "\\|")


def outputs() -> Iterator[tuple[Path, str]]:
    yield from schemas()
    for chart in (LIBRARY, *ON_LIBRARY, UMBRELLA):
        yield CHARTS / chart / "README.md", readme(chart)


def main() -> None:
    for path, text in outputs():
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path.relative_to(CHARTS.parent)} is not up to date: run make gen")


if __name__ == "__main__":
    main()
