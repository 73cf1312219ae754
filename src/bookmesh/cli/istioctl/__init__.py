"""
The commands of `istioctl` that people type in Istio's tasks, for a lab.

Here: asking a cluster through stock kubectl, Envoy's config dumps as tables, profiles as objects to apply. Never here:
how the mesh works; what is asked of it comes from the proxies themselves or from the lab's own endpoints. Layouts and
column names are Istio's. Flags that are not here fail and name those that are.
"""
