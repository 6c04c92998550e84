"""The graph in four parts behind a router of somebody else's: to try, and to be tested.

`node.py` installs what `package.json` names and runs it, `__main__.py` is `make federation`.
`supergraph.yaml` and `graph.yaml` say the same to the tools of Apollo and of Cosmo.
"""
