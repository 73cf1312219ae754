"""
Writes docs/reference/messages.md from the table of message codes.

    python tools/gen_messages.py            write the file
    python tools/gen_messages.py --check    exit 1 and say so when the file is not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "messages.md"
SECTIONS = {
    "01": "This machine and the lab",
    "02": "Mesh configuration",
    "03": "Images and pods",
    "04": "The Kubernetes API and tasks",
    "05": "Questions to proxies",
    "06": "Releases",
}
INTRODUCTION = """\
# Messages

<!-- Generated from the table in src/bookmesh/base/messages.py: change it there, then run `make gen`. -->

Every message says what is wrong with which object, where, what is known, and what to do. Its code is never reused, so
it can be searched for. Errors end a command with exit code 1 (it ran and failed), 2 (it was misused) or 3 (this
machine cannot do it).
"""


def build_page(messages: Mapping[str, str]) -> str:
    """
    Build the page, codes in order under the heading of their hundreds.

    Raises:
        ValueError: a code belongs to no section.
    """
    parts = [INTRODUCTION]
    section = ""
    for code in sorted(messages):
        hundreds = code.removeprefix("BM")[:2]
        if hundreds not in SECTIONS:
            raise ValueError(f"{code} belongs to none of the sections {', '.join(sorted(SECTIONS))}")
        if hundreds != section:
            section = hundreds
            parts.append(f"## {SECTIONS[section]}\n\n| code | meaning |\n|---|---|")
        parts[-1] += f"\n| {code} | {messages[code]} |"
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def main(arguments: Sequence[str]) -> int:
    """Run the program; returns its exit code."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write(f"usage: {Path(__file__).name} [--check]\n")
        return 2
    from bookmesh.base.messages import MESSAGES

    page = build_page(MESSAGES)
    if not arguments:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page)
        return 0
    if PAGE.exists() and PAGE.read_text() == page:
        return 0
    sys.stderr.write("docs/reference/messages.md is not up to date: run `make gen`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
