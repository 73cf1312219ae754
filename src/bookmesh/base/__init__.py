"""
Leaf facts that both systems speak: names, durations, findings, the port to a Kubernetes API.

Pure: nothing here does I/O, reads a clock or keeps state. Everybody may import it; it imports nobody.
"""
