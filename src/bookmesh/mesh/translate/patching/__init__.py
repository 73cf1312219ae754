"""
Changes that EnvoyFilters make to finished resources, in the order and with the meaning that Istio gives them.

Resources come in as they were built and go out as new ones; nothing that others share is changed. Imported by
`translate`, and by `control` for the file that an Envoy starts from.
"""
