"""Asking Postgres: knows tables and SQL, has never heard of GraphQL.

mapping.py      the shared vocabulary: what a table and a column are called
query.py        what can be asked, as data
render.py       that data becomes one SQL statement
database.py     the only door: a statement goes in, its bytes come out
session.py      ... one connection, and the statements it holds
transaction.py  ... several statements that belong together
connection.py   a way in for jobs of their own: grants, loads, keys
changes.py      which tables have changed, as Postgres says at each commit
change_log.py   what has happened to records, read in an order in which nothing is skipped
roles.py        what a role of ours may see, Postgres knows as well
grants.py       ... and what that needs to be granted
api_keys.py     who shows a key, by its hash
writing.py      what a transaction that changes something says beside
constraints.py  which columns a constraint is about
errors.py       SQLSTATE becomes: whose mistake was it?
discretion.py   an error becomes lines for a log, without what was asked
migrate.py      applies what is pending
embedded/       the Postgres that runs when no other is given
migrations/     the tables, as plain SQL
data/           the rows, and what loads them
"""
