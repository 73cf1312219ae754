"""
What runs: Kubernetes Services, EndpointSlices and Pods as immutable services, endpoints and workloads.

Facts only, as the cluster states them; what the mesh makes of them comes later. No Istio configuration kind may appear
here. Imported by `snapshot` and every room above it.
"""
