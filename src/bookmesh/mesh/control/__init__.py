"""
The control plane: watches objects, builds what each proxy should have, pushes it, and tells what is wrong.

The only room that sees every stage: it wires registry, snapshot, translation, analysis, identity and xDS together and
decides when they run, never what they decide. Kubernetes is reached through `bookmesh.base.kubernetes.Client` alone.
Only the lab imports this package.
"""
