"""
What kinds exist and what a valid object of each looks like.

Here: the served kinds, their schemas, validation, strictness and pruning, defaulting, semantic rules, patching, and
decoding of protobuf bodies. Pure functions over JSON objects: no I/O beyond reading our own data files, no clock, no
randomness, no HTTP. May import `bookmesh.kube.store.records` and `bookmesh.base`; every room of `bookmesh.kube` above
it, the lab and the commands may import it.
"""
