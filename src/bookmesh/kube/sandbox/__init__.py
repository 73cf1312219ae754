"""
One sandboxed process: its namespaces, mounts, network, arguments and end, and the network they meet in.

Here: what needs the Linux kernel (namespaces, mounts, netlink, nf_tables) and the fork server that uses it.
Never here: a Kubernetes word such as pod, probe or volume. `node` and `lab` may import it; it imports `base` only.
"""
