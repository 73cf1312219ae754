"""
The immutable view of one push: which configuration applies to whom, in which order, and who is asking.

Visibility, host matching and merge order are decided here, once, so that translation and analysis agree. No Envoy
type may appear here. Imported by every stage after it, and by commands that explain configuration; imports `registry`
and `model`.
"""
