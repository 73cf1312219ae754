"""
What Istio's analyzers say (IST0xxx), over plain objects of a cluster, of files, or of both.

One file for each of Istio's groups of analyzers; an analyzer is a function from `objects.Objects` to messages. What the
mesh's own analysis (`bookmesh.mesh.analysis`) finds comes in through `own`, in Istio's words. Everything here is pure.
"""
