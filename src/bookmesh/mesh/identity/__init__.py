"""
Who a workload is: SPIFFE names, the certificate authority and the certificates it issues.

Building certificates (`certificates`, `spiffe`) takes the time as an argument and does no I/O; `authority` keeps the
root in a directory. No Envoy type and no Kubernetes object may appear here. Only `control` and the lab import it.
"""
