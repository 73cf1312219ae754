"""
The lab: one kube and one mesh, wired together on one machine, with images to run.

The only room where `kube` and `mesh` meet. It decides where files live, which ports and addresses are used and what is
there at the start; it has no logic of Kubernetes or Istio of its own. Imported by `cli`, and by
the plugin for pytest.
"""
