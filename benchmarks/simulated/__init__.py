"""Meshes of any size in memory, and proxies that are none: what the benchmark of the control plane is made of."""
