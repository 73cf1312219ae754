"""The page about the simulated Internet names every packaged host and every field of a declared one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bookmesh.lab.internet import hosts

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "internet.md").read_text()
NAMES = sorted(
    {name for host in hosts.load() for name in host.names} - {"wikipedia.org", "www.wikipedia.org"}
)


@pytest.mark.parametrize("name", NAMES)
def test_a_packaged_host_is_on_the_page(name: str) -> None:
    """`*.wikipedia.org` on the page stands for the names below it."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("field", [*hosts.Host.__struct_fields__, *hosts.Answer.__struct_fields__])
def test_a_field_is_on_the_page(field: str) -> None:
    assert f"`{field}`" in PAGE


def test_the_examples_of_documents_are_hosts() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "testing-your-own-mesh.md").read_text()
    examples = [
        block.removeprefix("yaml\n")
        for text in (PAGE, guide)
        for block in text.split("```")
        if "names: [" in block
    ]
    assert len(examples) == 2
    for example in examples:
        assert hosts.parse(example, where="example")
