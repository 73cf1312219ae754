"""
Who owns which field: `metadata.managedFields`, and server-side apply on top of it.

`field_sets` is the algebra of sets of fields, `typed` looks at values as sets of fields, `merging` puts an applied
configuration into an object, `managers` keeps the account of who owns what, `applying` is server-side apply itself.
Pure functions over JSON objects; the time of a write is handed in.
"""
