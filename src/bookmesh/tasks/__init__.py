"""
The task engine: load a task.yaml, apply it to any cluster with stock kubectl, show that its expectations hold, report.

Here: the format, its validation, the run of one task and of many, reports. Never here: anything that knows the lab, a
Kubernetes client of our own, or a decision about routes; a task sees a cluster as a person with kubectl and curl does.
The command line imports it; it imports `bookmesh.base` alone.
"""
