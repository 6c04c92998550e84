"""How an operation is answered: from text to plan, from rows to answer.

resolve.py      one operation, start to finish
parse.py        text becomes a valid Operation, once per text
scan.py         ... unless it is too much to be worth parsing
admit.py        ... or asks for too much
plan/           an Operation becomes a Plan, once per operation and shape of variables
past.py         whether a query is about a moment of the past
change.py       a mutation: one transaction, and what came of each of its root fields
deeds.py        what a root field of a mutation asks for is done
blame.py        which field of an input is to blame for what Postgres refuses
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
