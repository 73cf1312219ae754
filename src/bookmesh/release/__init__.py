"""
Releases in the order that their dependencies ask for, on any cluster that Helm and kubectl reach.

Here: what releases declare (`requires`, `provides`), what the cluster really serves, the plan, and carrying it out.
Never here: the lab. What is decided is in functions without I/O (ranges, contracts, serving, judging, planning);
clusters and Helm are behind two small ports. Imported by `cli` alone.
"""
