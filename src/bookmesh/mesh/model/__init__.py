"""
Istio's configuration kinds as frozen structures, one file a kind, and the CRDs derived from them.

Every field of the public API is declared, with its documentation in the docstring of its structure (that is what
`kubectl explain` shows); a field this mesh does not act on is marked with `NOT_ACTED_ON`. Parsing ends in a
structure or in findings with field paths. No Kubernetes Service or Envoy type may appear here. Imported by
`snapshot` and every room above it.
"""
