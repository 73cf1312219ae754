"""
CEL: the expressions of rules in CRDs and of match conditions.

Here: compiling, evaluating, and the functions that Kubernetes adds to the language. Never here: where expressions stand
and what their results mean. Pure.
"""
