"""
Versioned objects: the one place where the lab's Kubernetes objects live.

Here: an in-memory index over a SQLite write-ahead log, resourceVersions, change history and watches. Never here: HTTP,
kinds, schemas, defaulting, admission, or any opinion on what an object means. Used from the event-loop thread only.
Every room of `bookmesh.kube` and the lab may import it; it imports `bookmesh.base` only.
"""
