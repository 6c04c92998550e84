"""Servers to compare with, each a process: `python -m tests.benchmarks.servers.NAME URL PORT SIZE`.

still.py        answers what it was told beforehand: as fast as ASGI under uvicorn can be
by_hand.py      bare ASGI and SQL written by hand: as fast as an answer from Postgres can be
loaders.py      Strawberry with data loaders, as one writes it today
postgraphile/   PostGraphile 5, which also compiles GraphQL to SQL, with its usual plug-ins
serving.py      uvicorn, as `server.py` runs it
"""
