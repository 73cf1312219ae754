"""
The API server: Kubernetes REST over objects that `store` keeps and `schema` judges.

Here: the verbs (without HTTP), admission, what each kind does on a write, discovery, OpenAPI, tables, watch encoding,
`Status` errors, authentication, and the streams of a pod (logs, exec, port-forward). Never here: reconciling, running
anything, any Istio kind (a CRD is data). Imports `schema`, `store` and `base`; imported by `lab` alone, which hands its
`InProcessClient` to everybody else as a `base.kubernetes.Client`.
"""
