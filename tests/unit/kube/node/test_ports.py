"""The sandbox's classes fit the ports by shape, so that fakes and the real ones are interchangeable."""

from __future__ import annotations

import inspect

import pytest

from bookmesh.kube.node import ports
from bookmesh.kube.sandbox import forking, network


def parameters(function: object) -> list[tuple[str, bool]]:
    """Name, where it can be given by name, and whether it can only be given so."""
    assert callable(function)
    return [
        ("" if each.kind is each.POSITIONAL_ONLY else name, each.kind is each.KEYWORD_ONLY)
        for name, each in inspect.signature(function).parameters.items()
    ]


@pytest.mark.parametrize(
    ("port", "real", "methods"),
    [
        (ports.Forks, forking.ForkServer, ["run", "execute"]),
        (ports.Process, forking.Process, ["wait", "signal", "end_session"]),
        (ports.Network, network.NodeNetwork, ["attach", "detach"]),
    ],
)
def test_the_real_class_has_the_methods_of_the_port(port: type, real: type, methods: list[str]) -> None:
    for name in methods:
        wanted, given = parameters(getattr(port, name)), parameters(getattr(real, name))
        assert len(wanted) == len(given), name
        for (wanted_name, keyword), (given_name, given_keyword) in zip(wanted, given, strict=True):
            assert wanted_name in ("", given_name), name
            assert keyword == given_keyword, name
        assert inspect.iscoroutinefunction(getattr(port, name)) == inspect.iscoroutinefunction(
            getattr(real, name)
        )
