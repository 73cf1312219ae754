"""Bookinfo's lab: a Kubernetes-compatible API, real Envoys and an Istio-compatible control plane on one machine."""
