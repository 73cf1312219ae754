"""
An Istio: YAML in, Envoy configuration out.

Sees Kubernetes only through `bookmesh.base.kubernetes.Client`. May import `bookmesh.base` only; wired by `bookmesh.lab`.
"""
