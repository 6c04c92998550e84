"""Strawberry with data loaders and asyncpg, as one writes it today when one takes care.

    loading.py    one statement per level and relation, for all parents at once
    types.py      the types, whose fields ask the loaders
    __main__.py   serves them

What is done for speed: parsed and validated documents are kept, rows are asyncpg's own records and
are never copied into objects, lists are cut per parent by Postgres, and a total is counted only if
it is asked for.
"""
