"""What the engine brings along: found out in processes of their own, since the first import decides."""

from __future__ import annotations

import subprocess
import sys


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_engine_comes_without_its_command_line() -> None:
    program = (
        "import sys\n"
        "from bookmesh.kube.schema.expressions import expression\n"
        "compiled = expression.compile_expression('1 + 1 == 2', frozenset())\n"
        "print(compiled.evaluate({}), {'cel.cli', 'typer', 'rich', 'prompt_toolkit'} & set(sys.modules))\n"
    )
    assert run(program) == "True set()"


def test_the_command_line_is_there_for_whoever_wants_it() -> None:
    program = (
        "from bookmesh.kube.schema.expressions import engine\n"
        "import cel.cli\n"
        "print(cel.cli.__file__ is not None, cel.cli.__name__)\n"
    )
    assert run(program) == "True cel.cli"


def test_the_engine_is_taken_as_it_is_from_whoever_has_it_already() -> None:
    program = (
        "import sys, cel\n"
        "before = sys.modules['cel.cli']\n"
        "from bookmesh.kube.schema.expressions import engine\n"
        "print(engine.cel is cel, sys.modules['cel.cli'] is before)\n"
    )
    assert run(program) == "True True"
