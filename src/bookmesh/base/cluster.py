"""
What the rooms of a cluster have to agree on: the Kubernetes that it is, and its networks.

The networks are those that `kubeadm` and most guides use, so that addresses look as people expect.
"""

from __future__ import annotations

from typing import Final

KUBERNETES_VERSION: Final = "1.37.0"

POD_NETWORK: Final = "10.244.0.0/16"
GATEWAY: Final = "10.244.0.1"
"""The node as pods see it."""

SERVICE_NETWORK: Final = "10.96.0.0/16"
API_SERVER_IP: Final = "10.96.0.1"
DNS_IP: Final = "10.96.0.10"
