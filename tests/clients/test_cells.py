"""What keeps the compatibility matrix honest: a claim whose test did not pass is found, and the page is refused."""

from __future__ import annotations

import runpy
import types
from pathlib import Path
from typing import Any

import pytest
from tests.clients.cells import Cell, claims_of, missing

ROOT = Path(__file__).parents[2]
GENERATOR: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "gen_compatibility.py"))
SOURCE = """
class TestX:
    @pytest.mark.covers("kubectl", "get", "describe")
    async def test_a(self): ...

@pytest.mark.covers("kr8s", "get")
def test_b(): ...
"""


def test_a_claim_counts_when_its_test_passed() -> None:
    claims = {"a": {Cell("kr8s", "get")}, "b": {Cell("kr8s", "get"), Cell("kr8s", "watch")}}
    assert missing(claims, {"a"}) == ["kr8s  watch"]
    assert missing(claims, {"a", "b"}) == []


def test_each_version_of_kubectl_has_to_be_shown() -> None:
    claims = {"a": {Cell("kubectl", "get", "1.36")}, "b": {Cell("kubectl", "get", "1.37")}}
    assert missing(claims, {"a"}) == ["kubectl 1.37 get"]
    assert missing({"a": claims["a"]}, {"a"}) == ["kubectl 1.37 get"], "the other one was not even collected"
    assert missing(claims, {"a", "b"}) == []


@pytest.mark.parametrize(("transport", "verb"), [("websocket", "exec"), ("spdy", "exec (over SPDY)")])
def test_with_each_transport_a_test_shows_the_cells_of_that_one(transport: str, verb: str) -> None:
    item: Any = types.SimpleNamespace(
        name=f"test_a[1.36-{transport}]",
        callspec=types.SimpleNamespace(params={"transport": transport}),
        iter_markers=lambda _: [pytest.mark.covers("kubectl", "exec", "exec (over SPDY)").mark],
    )
    assert claims_of(item) == {Cell("kubectl", verb, "1.36")}


def test_claims_are_read_from_the_files(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(SOURCE)
    claims = GENERATOR["read_claims"](tmp_path)
    assert claims == {("kubectl", "get"), ("kubectl", "describe"), ("kr8s", "get")}


def test_a_verb_without_evidence_is_refused() -> None:
    plan = {"kubectl": [{"Reading": ["get", "describe"]}], "otherwise": []}
    with pytest.raises(ValueError, match="kubectl describe: no test shows it"):
        GENERATOR["build_page"](plan, {("kubectl", "get")}, {"BM-D001"})


def test_a_claim_that_no_row_has_is_refused() -> None:
    plan = {"kubectl": [{"Reading": ["get"]}], "otherwise": []}
    with pytest.raises(ValueError, match="kubectl fly: claimed by a test"):
        GENERATOR["build_page"](plan, {("kubectl", "get"), ("kubectl", "fly")}, {"BM-D001"})


def test_each_cell_has_one_of_three_words() -> None:
    plan = {
        "kubectl": [{"Reading": ["get", "top", "certificate"]}],
        "otherwise": [
            {"client": "kubectl", "verb": "top", "differs": "BM-D001"},
            {"client": "kubectl", "verb": "certificate", "why": "nobody signs"},
        ],
    }
    page = GENERATOR["build_page"](plan, {("kubectl", "get"), ("kr8s", "watch")}, {"BM-D001"})
    assert "| `get` | tested | tested |" in page
    assert "| `top` | differs (BM-D001) | differs (BM-D001) |" in page
    assert "| `certificate` | not supported | not supported |" in page
    assert "| watch | tested |" in page


def test_a_difference_has_to_exist() -> None:
    plan = {
        "kubectl": [{"Reading": ["top"]}],
        "otherwise": [{"client": "kubectl", "verb": "top", "differs": "BM-D999"}],
    }
    with pytest.raises(ValueError, match="BM-D999"):
        GENERATOR["build_page"](plan, set(), {"BM-D001"})
