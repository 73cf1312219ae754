"""
From a pod to a pod with a sidecar, and from that to the rules by which its traffic is intercepted.

Pure functions over pod JSON; inputs are never mutated. How a pod reaches us (admission) and how rules become packet
filters is somebody else's business. Only the lab and the command line import this package.
"""
