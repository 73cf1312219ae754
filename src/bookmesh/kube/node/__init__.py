"""
The node: it makes pods out of sandboxes and services out of packet rules, and reports what became of them.

Here: pods, volumes, probes, logs, images as a kubelet sees them; service addresses as kube-proxy does; cluster DNS.
Never here: system calls (those are `sandbox`), HTTP, an Istio word. `lab` alone may import it; it knows the API
only as a `base.kubernetes.Client`.
"""
