"""
`bookmesh explain`: a request followed through the configuration that one Envoy has in force, with the YAML behind it.

Here: Envoy's own rules for picking a listener, a filter chain, a virtual host, a route, clusters and endpoints, applied
to what the Envoy says it has; and from each of these back to an object and a field. Never here: how the mesh
translates; what was asked of a proxy and what it accepted may differ, and only the latter counts.
"""
