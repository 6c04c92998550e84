"""What the graph is: declarations that nothing runs during a request.

query.py      everything one may ask
types/        one file per entity: a type and, beside each field, where it comes from
entity.py     the words entities are declared with
"""
