"""
What is right and wrong beyond a schema: names, references inside an object, combinations, what may not change.

Here: one file a family of kinds; functions from an object (and its former state) to causes. Objects are defaulted and
fit their schema by then. Nothing here looks at other objects. `bookmesh.kube.schema.rules` runs
the checks; what a selector, a resource or a role means is read here by others too.
"""
