"""
What is outside of the cluster: a simulated Internet, or on request the way out to the real one.

Here: the hosts that exist there as data, their names, addresses and certificates, and the servers that answer for them.
Never here: anything of Kubernetes or Istio; to a pod it is just what lies behind the node. Wired by the lab.
"""
