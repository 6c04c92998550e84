-- What a record said before: the fields in which two of its states differ.
--
-- A line of the change log has the row as it was before it. As it was after it, it is in the next line
-- about the same record, and after the last one it is in the table. Lines about one record are written
-- one after the other, since each holds the row, or its key, until its transaction ends: so among them
-- seq alone is the order, whichever transaction began first.

create function spelled(value jsonb, form text) returns jsonb
    language sql stable parallel safe
    return case
        when value is null or value = 'null' then null
        -- Each session writes a moment on its own clock.
        when form = 'timestamptz' then to_jsonb((value #>> '{}')::timestamptz)
        when form <> '' then to_jsonb(form || (value #>> '{}'))
        else value
    end;
comment on function spelled is
    'A value of a row as clients read it: a moment on the clock of this session, a key with what stands before it in a global id.';

create function differences(
    operation text, old jsonb, next jsonb, present jsonb,
    columns text[], fields text[], languages text[], forms text[])
    returns table (field text, language text, old_value jsonb, new_value jsonb)
    language sql stable parallel safe set search_path = public, pg_temp
begin atomic
    select f.field, nullif(f.language, ''), s.before, s.after
    from unnest(columns, fields, languages, forms) with ordinality f("column", field, language, form, n)
    cross join lateral (
        select spelled(old -> f."column", f.form),
               case when operation <> 'DELETE'
                    then spelled(case when next is null then present -> (n - 1)::int else next -> f."column" end, f.form) end
    ) s(before, after)
    -- A column that there was not yet, or is not any more, or that is worked out, nobody has changed.
    where old ? f."column" and (operation = 'DELETE' or next is null or next ? f."column")
        and s.before is distinct from s.after
    order by n;
end;
comment on function differences is
    'How a record differed after a line of the change log: old is the row before it, next the row before the next line about the record, or null if there is none, and present the columns as they are. None for what was added: all of it was new.';
