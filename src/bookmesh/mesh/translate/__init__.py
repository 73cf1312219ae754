"""
From one snapshot to the Envoy resources of one proxy: listeners, routes, clusters and endpoints, under Istio's names.

Pure functions from frozen data to protobuf messages. What a route or a policy means is decided here; who sees it was
decided by `snapshot`, how it travels is decided by `xds`. Imported by `control` only.
"""
