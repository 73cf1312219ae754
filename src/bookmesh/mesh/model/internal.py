"""
What Istio's API cannot say, and objects that are converted from other APIs need. Never parsed from YAML, in no CRD.

Each is a kind of the structure it extends, so whoever does not care about the difference need not know it.
"""

from __future__ import annotations

from bookmesh.mesh.model import destination_rules, gateways, http_actions, matching


class RegexRedirect(http_actions.HttpRedirect, frozen=True):
    """A redirection to a path that is made from the one that was asked for."""

    uri_regex_rewrite: http_actions.RegexRewrite | None = None


class ServiceGateway(gateways.Gateway, frozen=True):
    """A gateway that is served by the pods behind one Service (fully qualified), on the ports of that Service."""

    service: str = ""


class InlineTls(destination_rules.ClientTls, frozen=True):
    """TLS to a server that is verified against certificates at hand, in PEM; "" trusts nobody."""

    trusted: str = ""


NOWHERE = matching.Destination(host="")
"""A destination that does not exist: requests get 500, connections are closed."""
