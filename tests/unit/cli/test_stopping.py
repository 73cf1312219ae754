from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bookmesh.cli import main
from bookmesh.lab import paths


def test_a_shell_that_means_the_lab_is_told_how_to_forget_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path))
    told = "kubectl in this shell still looks for it: unset KUBECONFIG KUBECACHEDIR"
    for kubeconfig, is_told in ((str(paths.paths_for("default").kubeconfig), True), ("elsewhere", False)):
        monkeypatch.setenv("KUBECONFIG", kubeconfig)
        done = CliRunner().invoke(main.main, ["down"])
        assert (done.exit_code, told in done.stderr) == (0, is_told)
