"""
Admission policies: expressions in the store that are evaluated about requests, and may change or refuse them.

Which policies there are and what binds them (`definitions`), which requests they are about (`matching`), their
parameters (`parameters`), what their expressions see (`evaluating`), and what comes of it (`validating`, `mutating`).
No I/O besides the store.
"""
