"""What README and first steps tell people to type works as it stands, line by line, and does what they say."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab
ROOT = Path(__file__).parents[2]
SETUP = "make setup && . .venv/bin/activate"


@dataclass(frozen=True)
class Typed:
    line: str
    exit: int
    output: str


class Shell:
    """One shell, as a person has it: what a line exports or where it goes is so for the next one."""

    def __init__(self, home: Path) -> None:
        path = os.pathsep.join([str(labs.BOOKMESH.parent), os.environ["PATH"]])
        self._process = subprocess.Popen(
            ["bash", "--norc"],
            cwd=ROOT,
            env=os.environ | {"BOOKMESH_HOME": str(home), "PATH": path, "NO_COLOR": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, line: str) -> Typed:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\nprintf '\\n[%s]\\n' $?\n")
        self._process.stdin.flush()
        output = ""
        for said in self._process.stdout:
            if ended := re.fullmatch(r"\[(\d+)\]\n", said):
                return Typed(line, int(ended[1]), output)
            output += said
        raise AssertionError(f"{line} ended the shell: {output}")

    def end(self) -> None:
        self.type("bookmesh down")
        self._process.communicate(timeout=60)


@pytest.fixture
def shell(host: None, tmp_path: Path) -> Iterator[Shell]:
    opened = Shell(tmp_path / "home")
    yield opened
    opened.end()


def typed(shell: Shell, document: str, heading: str = "") -> dict[str, Typed]:
    """Type all blocks of a document, or of one section; what came of each line, by the line without its comment."""
    text = (ROOT / document).read_text()
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    lines = [line.partition("   #")[0].rstrip() for line in lines]
    assert lines[0] == SETUP
    return {line: shell.type(line) for line in lines[1:]}


@pytest.mark.timeout(180)
def test_the_readme_works_line_by_line(shell: Shell, tmp_path: Path) -> None:
    said = typed(shell, "README.md", "The lab by hand")
    assert {line: each.output for line, each in said.items() if each.exit} == {}
    assert said["kubectl get pods"].output.count(" 2/2 ") == 6
    assert re.search(r"^open +http://\S+/productpage$", said["bookmesh status"].output, re.MULTILINE)
    assert "error[" not in said["bookmesh status"].output
    assert not (tmp_path / "home").exists(), "nothing is left"


SHOWN = re.compile(r"```sh\n((?:(?!```).)*)```\n\n```text\n(.*?)```", re.DOTALL)


def shows(shown: str, said: str) -> list[str]:
    """The lines that a page shows and that were not said, whatever the spaces; `…` stands for anything."""
    patterns = {
        line: r"\s+".join(map(re.escape, line.split())).replace("…", ".*") for line in shown.splitlines()
    }
    return [line for line, pattern in patterns.items() if not re.search(pattern, said)]


CONCEPTS = ("routing.md", "mutual-tls.md", "interception.md")
# A person is slower than a push; this test may not be.
UNTIL_STRICT = "until ! kubectl exec outsider -- curl -s http://ratings:9080/ratings/0; do :; done"


@pytest.mark.timeout(240)
def test_the_concepts_are_as_their_pages_show(shell: Shell) -> None:
    folder = ROOT / "docs" / "concepts"
    assert sorted(path.name for path in folder.glob("*.md")) == sorted(CONCEPTS)
    for line in ("bookmesh up --bookinfo", 'eval "$(bookmesh env)"'):
        assert shell.type(line).exit == 0
    for name in CONCEPTS:
        blocks = SHOWN.findall((folder / name).read_text())
        assert blocks
        for commands, shown in blocks:
            said = ""
            for line in commands.splitlines():
                done = shell.type(line)
                said += done.output
                assert done.exit == 0 or "command terminated with exit code" in shown, done
                if line.endswith("strict.yaml") and " apply " in line:
                    shell.type(UNTIL_STRICT)
            assert shows(shown, said) == [], (name, said)


@pytest.mark.timeout(180)
def test_the_first_steps_work_line_by_line(shell: Shell) -> None:
    said = typed(shell, "docs/guides/first-steps.md")
    failed = {line: each.output for line, each in said.items() if each.exit}
    assert list(failed) == ["bookmesh status"], "the mistake of section 5"
    assert "add subset v4" in said["kubectl describe virtualservice reviews"].output
    blocks = SHOWN.findall((ROOT / "docs" / "guides" / "first-steps.md").read_text())
    assert len(blocks) >= 4
    for commands, shown in blocks:
        lines = [line.partition("   #")[0].rstrip() for line in commands.splitlines()]
        output = "".join(said[line].output for line in lines if line != SETUP)
        assert shows(shown, output) == [], output
