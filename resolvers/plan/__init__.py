"""An Operation becomes a Plan, once per operation and shape of variables.

plan.py         an operation and variables become a plan, remembered, and its arguments
context.py      what is known while one plan is made
values.py       arguments become trees whose leaves say where a value will be found
selections.py   selection sets become fields in order, merged, by concrete type
read.py         selections become selects
functions.py    functions of Postgres are called with columns and arguments
relations.py    hops become conditions
pages.py        connections become pages, cursors and counts
near.py         a place becomes a circle
texts.py        a text of several languages becomes the one to answer
filters.py      the filter language becomes conditions
orders.py       orderBy becomes sort keys; sort keys become cursors and back
aggregates.py   aggregate and groups
ranked.py       what a function finds becomes a connection with facets
changes.py      a subscription becomes events, made from the lines that have come
references.py   node and nodes: entities of several kinds in one list
write.py        an input becomes what is written, and that becomes one statement
propose.py      ... or is kept, for others to decide about
outcome.py      what came of it is read back: payloads are compiled as all else is
introspection.py  what questions about the schema weigh
"""
