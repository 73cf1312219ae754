"""
What turns declared objects into other objects: scheduling, workloads, endpoints, clean-up.

Here: one file a controller, each with a pure `reconcile(desired, seen) -> Actions` and a declaration of what it
watches; and the machinery that feeds them (`informers`, `queues`, `runner`, `applying`). Never here: HTTP, storage,
processes, mesh kinds, a clock or randomness that is not injected. Reads and writes go through
`bookmesh.base.kubernetes.Client` alone; `bookmesh.lab` wires it.
"""
