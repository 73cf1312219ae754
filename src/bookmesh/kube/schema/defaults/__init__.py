"""
Default values, one file a family of kinds.

Here: functions that fill one object (or part of one) in place, and nothing that takes a scarce value such as an address
or a port. Objects have valid types by then. Only `bookmesh.kube.schema.defaulting` imports it.
"""
