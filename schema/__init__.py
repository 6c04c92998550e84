"""What the graph is: declarations that nothing runs during a request.

query.py      everything one may ask
mutation.py   everything one may change
types/        one file per entity: a type and, beside each field, where it comes from
entity.py     the words entities are declared with
shapes.py     declarations, read
check.py      ... and refused if they make no sense
scalars.py    one value: its Python type, its GraphQL name and its Postgres type
arguments.py  filters, orders, aggregates and groups, derived from the entities
inputs.py     what may be written of each
payloads.py   ... and what comes of it
writing.py    ... by which fields of Mutation
roles.py      who sees which part; permissions.py prints it as a table
build.py      the types become a Graph: a schema for clients, tables for the planner
subscription.py  everything one may follow
changes.py    ... where it comes from, and what clients see of it
live.py       @live
sdl/          the schema as it is printed, so that a review of the API is a diff
"""
