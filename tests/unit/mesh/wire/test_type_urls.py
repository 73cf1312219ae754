"""Type URLs are the full names of the messages."""

from __future__ import annotations

import pytest

from bookmesh.mesh.wire import cluster, listener, route, tls, type_urls


@pytest.mark.parametrize(
    ("type_url", "message"),
    [
        (type_urls.CLUSTER, cluster.Cluster),
        (type_urls.ENDPOINTS, cluster.ClusterLoadAssignment),
        (type_urls.LISTENER, listener.Listener),
        (type_urls.ROUTES, route.RouteConfiguration),
        (type_urls.SECRET, tls.Secret),
    ],
)
def test_type_url_names_the_message(type_url: str, message: type) -> None:
    assert type_url == type_urls.PREFIX + message.DESCRIPTOR.full_name


def test_every_type_has_a_short_name() -> None:
    assert {*type_urls.TRANSLATED, type_urls.SECRET} == type_urls.SHORT_NAMES.keys()
