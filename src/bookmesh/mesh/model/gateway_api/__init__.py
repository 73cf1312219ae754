"""
The kinds of the Kubernetes Gateway API as frozen structures, one file a kind or family.

Fields and defaults are those of its experimental channel, bundle version `kinds.BUNDLE_VERSION`. What the mesh makes
of them is in `mesh.gateway_api`; the rules of `mesh.model` hold here too.
"""
