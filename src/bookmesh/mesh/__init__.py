"""
An Istio: YAML in, Envoy configuration out.

Sees Kubernetes only through `bookmesh.base.kubernetes.Client`. May import `bookmesh.base` only; the lab wires it.
"""
