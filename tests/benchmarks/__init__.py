"""The same questions asked of several servers on the same tables, in turns, and timed.

__main__.py       python -m tests.benchmarks: what to run, and where results go
databases.py      two directories to ask: the real one, and one of a million providers
workloads.py      the questions and their variables
questions/        a folder per workload: the operation, and the SQL that we would write by hand
peers.py          the servers that are asked: how each is started, and what it understands
servers/          the ones we had to write: bare ASGI, data loaders, PostGraphile's settings
agreement.py      before anything is timed, all of them have to answer alike
load.py           so many requests as a server can answer: wrk, or a client of our own
client.py         the client of our own
processes.py      processor time and memory of a process
rounds.py         everyone in turns, several times
figures.py        what DESIGN.md asks for, beside what was measured
report.py         results become a table, Markdown and JSON
"""
