"""
The Kubernetes Gateway API: its objects become Istio's own (Gateway, VirtualService, DestinationRule), and get statuses.

Conversion is pure: objects in; configurations, statuses, findings and the Deployments that Gateways need out. What
comes out says all there is to say, so no later stage knows that the Gateway API exists. Imported by `control`; imports
`snapshot` and what is below it.
"""
