"""
The order that releases declare, in the words of other tools: Helmfile, Flux, Argo CD, and Helm's own draft HIP-0025.

One file a tool: pure, from `description.Described` to YAML. Each begins with a comment on what its tool cannot say.
"""
