"""Clusters."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import envoy_filters
from bookmesh.mesh.translate.patching import applying, merging


def patch(cluster: Any, place: applying.Place) -> bool:
    """Change a cluster in place; False when it is removed."""
    for change in place.changes("CLUSTER"):
        if not _is_meant(cluster, change.patch.match.cluster):
            continue
        if change.operation == "REMOVE":
            return False
        if change.operation in merging.MERGES:
            _merge(cluster, change)
    return True


def _merge(cluster: Any, change: applying.Change) -> None:
    """A transport socket in the value is merged into the one of the same name, and then nothing else counts."""
    theirs = change.value
    if not theirs.HasField("transport_socket"):
        merging.merge(cluster, theirs, change.operation)
        return
    wanted = theirs.transport_socket
    own = [match.transport_socket for match in cluster.transport_socket_matches]
    if not own and cluster.HasField("transport_socket"):
        own = [cluster.transport_socket]
    same = next((socket for socket in own if socket.name == wanted.name), None)
    if same is not None:
        merging.merge_any(same.typed_config, wanted.typed_config)
    elif not cluster.transport_socket_matches:
        cluster.transport_socket.CopyFrom(wanted)


def _is_meant(cluster: Any, match: envoy_filters.ClusterMatch | None) -> bool:
    """Clusters of the local application have no host in their name: there the service behind it counts."""
    if match is None:
        return True
    if match.name:
        return bool(match.name == cluster.name)
    parts = cluster.name.split("|")
    port, subset, host = parts[1:] if len(parts) == 4 else ("", "", "")
    if parts[0] == "inbound":
        facts = cluster.metadata.filter_metadata
        host = facts["istio"].fields["destination_service"].string_value if "istio" in facts else ""
    return (
        match.subset in ("", subset)
        and match.service in ("", host)
        and match.port_number in (0, int(port) if port.isdecimal() else 0)
    )
