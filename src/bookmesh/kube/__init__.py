"""
A Kubernetes: what stock kubectl and Helm talk to.

Knows no Istio kind: CRDs are data to it. May import `bookmesh.base` only; wired by `bookmesh.lab`.
"""
