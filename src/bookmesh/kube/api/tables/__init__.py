"""
What `kubectl get` prints: columns and cells, computed by the server.

One file a family of kinds, one table of printers in `printers`. Pure functions over one object and the time.
"""
