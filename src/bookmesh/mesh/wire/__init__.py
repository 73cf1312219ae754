"""
Envoy's protobuf types and their names: the vocabulary in which the mesh talks to a proxy.

Here live imports of the few generated modules that are needed, type-URL constants and one-line constructors. No
decision about traffic may live here. Every room of the mesh may import it; it imports no other room.
"""
