"""Which columns a constraint is about: what Postgres refuses is told by its constraint's name."""

from __future__ import annotations

# A unique index need not be a constraint. A comment on a constraint is meant for clients.
ABOUT = """
    select json_build_object(
        'columns', array(
            select a.attname from unnest(found.keys) with ordinality k(number, n)
            join pg_attribute a on a.attrelid = found.relation and a.attnum = k.number
            order by k.n),
        'comment', found.comment)
    from (
        select c.conrelid as relation, c.conkey as keys,
            obj_description(c.oid, 'pg_constraint') as comment
        from pg_constraint c
        where c.conname = $1::text and c.conrelid = to_regclass(quote_ident($2::text))
        union all
        select i.indrelid, i.indkey::int2[], obj_description(i.indexrelid, 'pg_class')
        from pg_index i
        where i.indexrelid = to_regclass(quote_ident($1::text))
            and i.indrelid = to_regclass(quote_ident($2::text))
    ) found
    limit 1
"""
"""For `$1`, a constraint or a unique index, of the table `$2`: its `columns` and its `comment`."""
