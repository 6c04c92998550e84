"""How an operation is answered: from text to plan, from rows to answer.

resolve.py      one operation, start to finish
parse.py        text becomes a valid Operation, once per text
scan.py         ... unless it is too much to be worth parsing
admit.py        ... or asks for too much
plan/           an Operation becomes a Plan, once per operation and shape of variables
events.py       a subscription: from lines of the change log to events
live.py         whether a query is live
compute.py      the second road: graphql-core adds what only Python can make
traces.py       an answer says how long it took, to a router that asks
export.py       an operation for one page becomes all of its rows, page after page
graph.py        Graph: the one thing schema/ hands to resolvers/
errors.py       every way we say no, drawn as a tree, each with its code
cache.py        a bounded memory
fields/         the Python behind single fields
"""
