"""
What is wrong with the configuration of a mesh, said so that a person can repair it. One analyzer a file.

An analyzer is a function from a snapshot, or from one VirtualService of it, to findings; it changes nothing and knows
no Envoy, but for the types in which EnvoyFilters are written. Imported by `control`.
"""

from __future__ import annotations

from bookmesh.mesh.analysis.analyzing import Analysis, analyze, steps

__all__ = ["Analysis", "analyze", "steps"]
