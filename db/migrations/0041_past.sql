-- What the directory said at a moment of the past: the same statement, over the rows of then.
--
-- The change log has each row as it was before a change. So the rows as of a moment are those of now
-- that nothing has happened to since, and of each other one what the first line since then says it
-- had been. A schema `past` has a view of each table that shows these; and of each view and function
-- that reads them one of its own, made of the same text. Whoever looks into `past` before `public`
-- asks the same question of the past, and no rule of the directory has to be told twice.
--
-- None of it is written by hand. `rebuild_past` makes it from the catalog, after migrations: who adds
-- a table, a column or a rule need not think of it. What is not recorded has no past, and a view that
-- refuses to be read; so nothing of the present is ever taken for what was.
--
-- A moment is one between commits. When a line's transaction was committed, the table `commits` says.

-- When ------------------------------------------------------------------------------------------

create table commits (
    xid xid8        primary key default pg_current_xact_id(),
    at  timestamptz
);
create index on commits (at, xid);
create index on changes (entity, xid);
comment on table commits is
    'When a transaction that has lines in the change log was committed; its lines tell when it began. HSDS 3: metadata.';
comment on column commits.at is
    'The real clock as the last thing before the commit; null only before that. Those who read meanwhile, for milliseconds, do not see it yet.';
-- Of those that are there already, nothing else is known than when they began.
insert into commits (xid, at) select xid, min(at) from changes group by xid;
create trigger append_only_whole before truncate on commits
    for each statement execute function keep_the_log();

create function stamp_commit() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    update commits set at = clock_timestamp() where xid = new.xid;
    return null;
end
$$;
comment on function stamp_commit is 'Notes when a transaction is committed.';
-- Other things may wait for the end of a transaction, too, and take their time: so this goes once
-- more to the end of the queue.
create constraint trigger stamped after insert on commits
    deferrable initially deferred for each row execute function stamp_commit();
create constraint trigger stamped_last after update on commits
    deferrable initially deferred for each row when (old.at is null) execute function stamp_commit();

-- What is recorded ------------------------------------------------------------------------------

create function key_text(alias text, keys text[]) returns text
    language sql immutable parallel safe
    return case cardinality(keys)
        when 1 then format('%s.%I::text', alias, keys[1])
        else format('jsonb_build_array(%s)::text',
                    (select string_agg(format('%s.%I::text', alias, key), ', ' order by n)
                     from unnest(keys) with ordinality k (key, n)))
    end;
comment on function key_text is
    'How the change log writes the key of a row: as text; several columns as a JSON array of texts, which cannot be mistaken.';

create function columns_of(alias text, columns name[]) returns text
    language sql immutable parallel safe
    return (select string_agg(format('%s.%I', alias, name), ', ' order by n) from unnest(columns) with ordinality c (name, n));
comment on function columns_of is 'These columns of a row, with commas between.';

create function object_of(alias text, columns name[]) returns text
    language sql immutable strict parallel safe
    return (select format('(select to_jsonb(k) from (select %s) k)', columns_of(alias, columns)));
comment on function object_of is 'These columns of a row, as a JSON object.';

-- As in 0034, for keys of several columns, too, and with a note of the commit. What is kept in a row of
-- others, or gathered from them, has lines of its own, `X_kept` for a table X: nobody has changed the
-- record, so it is not news of it, but it said something else before.
create or replace function record_changes() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    named    text   := quote_literal(tg_table_name);
    kept_in  text   := quote_literal(tg_table_name || '_kept');
    keys     text[] := string_to_array(tg_argv[0], ',');
    recorded name[];
    kept     name[];
    written  bigint;
    more     bigint := 0;
begin
    if tg_op = 'INSERT' then
        execute format('insert into changes (entity, key, operation) select %s, %s, ''INSERT'' from new_rows n',
                       named, key_text('n', keys));
        get diagnostics written = row_count;
    else
        -- A load says "insert, or update": mostly nothing is updated, and that should cost nothing.
        if tg_op = 'UPDATE' then
            if not exists (select from new_rows) then
                return null;
            end if;
        end if;
        recorded := recorded_columns(tg_relid, tg_argv[1]::text[]);
        kept := array(select attname from pg_attribute
                      where attrelid = tg_relid and attnum > 0 and not attisdropped and attgenerated = '' and attname <> all (recorded));
        if tg_op = 'UPDATE' then
            -- Who changes the key of a record ends one and begins another.
            execute format('insert into changes (entity, key, operation, old)
                select %1$s, case when o.%2$I is null then %3$s else %4$s end,
                       case when o.%2$I is null then ''INSERT'' when n.%2$I is null then ''DELETE'' else ''UPDATE'' end,
                       case when o.%2$I is not null then %8$s end
                from old_rows o full join new_rows n on %5$s
                where (%6$s) is distinct from (%7$s)', named, keys[1], key_text('n', keys), key_text('o', keys),
                (select string_agg(format('n.%1$I = o.%1$I', key), ' and ') from unnest(keys) key),
                columns_of('o', recorded), columns_of('n', recorded), object_of('o', recorded));
            get diagnostics written = row_count;
            if kept <> '{}' then
                -- What is new in this transaction has not been anything else yet.
                execute format('insert into changes (entity, key, operation, old)
                    select %1$s, %2$s, case when n.%8$I is null then ''DELETE'' else ''UPDATE'' end, %3$s
                    from old_rows o left join new_rows n on %4$s
                    where (n.%8$I is null or (%5$s) is distinct from (%6$s)) and not exists (
                        select from changes c
                        where c.entity = %7$s and c.key = %2$s and c.operation = ''INSERT'' and c.xid = pg_current_xact_id())',
                    kept_in, key_text('o', keys), object_of('o', kept),
                    (select string_agg(format('n.%1$I = o.%1$I', key), ' and ') from unnest(keys) key),
                    columns_of('o', kept), columns_of('n', kept), named, keys[1]);
                get diagnostics more = row_count;
            end if;
        else
            execute format('insert into changes (entity, key, operation, old)
                select %1$s, %2$s, ''DELETE'', %3$s from %4$s o
                union all
                select %5$s, %2$s, ''DELETE'', %6$s from %4$s o where %7$L', named, key_text('o', keys), object_of('o', recorded),
                -- What is truncated is not handed over, but still there before it happens.
                case tg_op when 'TRUNCATE' then tg_relid::regclass::text else 'old_rows' end,
                kept_in, object_of('o', kept), kept <> '{}');
            get diagnostics written = row_count;
        end if;
    end if;
    if written + more > 0 and current_setting('directory.recorded', true) is distinct from pg_current_xact_id()::text then
        insert into commits default values;
        perform set_config('directory.recorded', pg_current_xact_id()::text, true);
    end if;
    return null;
end
$$;
comment on function record_changes is
    'Writes the change log. Arguments: the columns of the table''s key with a comma between, those that triggers gather from other tables, and since when the table is recorded if it had rows by then.';

create or replace function records(recorded regclass, variadic gathered text[] default '{}') returns void language plpgsql
    set search_path = public, pg_temp as $$
declare
    keys text := (select string_agg(a.attname, ',' order by k.n)
                  from pg_index i cross join unnest(i.indkey) with ordinality k (attnum, n)
                  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
                  where i.indrelid = recorded and i.indisprimary);
    filled boolean;
    called text;
begin
    if keys is null then
        raise exception 'only a table that has a primary key is recorded, and % has none', recorded;
    end if;
    execute format('select exists (select from %s)', recorded) into filled;
    called := format('execute function record_changes(%L, %L, %L)', keys, gathered, case when filled then now()::text else '' end);
    execute format('create trigger record_inserted after insert on %s
                    referencing new table as new_rows for each statement %s', recorded, called);
    execute format('create trigger record_updated after update on %s
                    referencing old table as old_rows new table as new_rows for each statement %s', recorded, called);
    execute format('create trigger record_deleted after delete on %s
                    referencing old table as old_rows for each statement %s', recorded, called);
    execute format('create trigger record_truncated before truncate on %s for each statement %s', recorded, called);
end
$$;

-- Of tables in which something is kept, all is recorded only from here on.
do $$
declare
    anew record;
begin
    for anew in
        select c.oid::regclass as recorded, (string_to_array(encode(t.tgargs, 'escape'), '\000'))[2]::text[] as gathered
        from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where t.tgname = 'record_updated' and exists (
            select from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
              and a.attname <> all (recorded_columns(c.oid, (string_to_array(encode(t.tgargs, 'escape'), '\000'))[2]::text[])))
    loop
        execute format('drop trigger record_inserted on %1$s', anew.recorded);
        execute format('drop trigger record_updated on %1$s', anew.recorded);
        execute format('drop trigger record_deleted on %1$s', anew.recorded);
        execute format('drop trigger record_truncated on %1$s', anew.recorded);
        perform records(anew.recorded, variadic anew.gathered);
    end loop;
end
$$;

-- What leads from one record to another, what rules are made of, and what is found. None of these is
-- a record to clients: who follows the log for records passes them over, as they have no entity.
select records(name::regclass) from unnest(array[
    'service_categories', 'program_categories', 'reentry_program_categories', 'reentry_program_counties',
    'visitor_center_amenities', 'freshness_thresholds', 'completeness_fields', 'terms', 'reason_texts',
    'search_documents', 'search_phrases', 'search_lexemes']) name;

-- The past --------------------------------------------------------------------------------------

create function rebuild_past() returns void language plpgsql
    set search_path = public, pg_temp set client_min_messages = warning set check_function_bodies = off as $$
declare
    shown    record;
    made     record;
    said     text;
begin
    drop schema if exists past cascade;
    create schema past;
    comment on schema past is 'The directory as it was at the moment in the setting directory.as_of; made by rebuild_past.';

    create temp table past_tables on commit drop as
        select c.oid, c.relname::text as name, string_to_array(a.arguments[1], ',') as keys,
               nullif(a.arguments[3], '')::timestamptz as since,
               recorded_columns(c.oid, a.arguments[2]::text[]) as columns
        from pg_trigger t
        join pg_class c on c.oid = t.tgrelid,
             lateral (select string_to_array(encode(t.tgargs, 'escape'), '\000') as arguments) a
        where t.tgname = 'record_updated' and c.relnamespace = 'public'::regnamespace;
    create temp table past_columns on commit drop as
        select t.name as "table", a.attname as name, a.attnum as place,
               a.attgenerated = '' and a.attname <> all (t.columns) as kept,
               case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end as expression,
               -- What a line says of it; and where it says nothing, since there was no such column
               -- yet, what all rows were given when it was added.
               format(case when y.typcategory = 'A' then 'case when jsonb_typeof(%1$s.old -> %2$L) = ''array'' then array('
                                'select item::%4$s from jsonb_array_elements_text(%1$s.old -> %2$L) with ordinality i (item, n) order by n) end'
                           when y.typname in ('json', 'jsonb') then 'nullif(%1$s.old -> %2$L, ''null'')::%3$s'
                           when a.attnotnull and pg_get_expr(d.adbin, d.adrelid) !~ '\(' then 'coalesce((%1$s.old ->> %2$L)::%3$s, %5$s)'
                           else '(%1$s.old ->> %2$L)::%3$s' end,
                      'l', a.attname, format_type(a.atttypid, a.atttypmod), format_type(nullif(y.typelem, 0), null), pg_get_expr(d.adbin, d.adrelid)) as told
        from past_tables t
        join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        join pg_type y on y.oid = a.atttypid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum;

    -- Everything that reads, and what it reads.
    create temp table past_objects on commit drop as
        select 'pg_class'::regclass as class, c.oid, c.relname::text as name, true as is_view, pg_get_viewdef(c.oid) as text
        from pg_class c
        where c.relkind = 'v' and c.relnamespace = 'public'::regnamespace
          and not exists (select from pg_depend where objid = c.oid and deptype = 'e')
        union all
        select 'pg_proc'::regclass, p.oid, p.proname, false, pg_get_functiondef(p.oid)
        from pg_proc p
        where p.prokind = 'f' and p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
          and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
          -- What writes has nothing to do here. What is immutable reads nothing, but may be given rows.
          and (p.provolatile = 's' or p.provolatile = 'i' and exists (
              select from unnest(p.proargtypes || p.prorettype) given join pg_type y on y.oid in (given, (select typelem from pg_type where oid = given))
              join pg_class r on r.oid = y.typrelid where r.relkind in ('r', 'v') and r.relnamespace = 'public'::regnamespace))
          -- How much there is to look through, not what it says.
          and p.proname not in ('clock', 'search_is_large');
    create temp table past_edges on commit drop as
        select distinct o.oid as of, reads.oid
        from past_objects o
        join pg_depend d on (d.classid, d.objid) in (
            select o.class, o.oid union all
            select 'pg_rewrite'::regclass, r.oid from pg_rewrite r where o.is_view and r.ev_class = o.oid)
        left join pg_type y on d.refclassid = 'pg_type'::regclass and y.oid = d.refobjid
        left join pg_type e on e.oid = y.typelem
        cross join lateral (select coalesce(nullif(y.typrelid, 0), nullif(e.typrelid, 0), d.refobjid) as oid) reads
        where reads.oid <> o.oid
          and (d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass) or d.refclassid = 'pg_type'::regclass and reads.oid <> d.refobjid);
    alter table past_objects add depth integer;
    with recursive deep (oid, depth) as (
        select oid, 0 from past_objects
        union
        select e.of, d.depth + 1 from deep d join past_edges e on e.oid = d.oid where d.depth < 100
    )
    update past_objects o set depth = d.depth from (select oid, max(depth) as depth from deep group by oid) d where d.oid = o.oid;

    -- The moment ---------------------------------------------------------------------------------

    create function past.as_of() returns timestamptz
        language sql stable parallel safe
        return current_setting('directory.as_of')::timestamptz;
    comment on function past.as_of is 'The moment that is looked at. Without one, nothing is answered.';
    create function past.seen() returns pg_snapshot
        language sql stable parallel safe
        return current_setting('directory.seen')::pg_snapshot;
    comment on function past.seen is 'The transactions that had been committed by then.';
    create function past.oldest() returns xid8
        language sql stable parallel safe
        return pg_snapshot_xmin(past.seen());
    comment on function past.oldest is 'All before this one had been.';
    create function past.clock() returns timestamptz
        language sql stable parallel safe
        return coalesce(nullif(current_setting('directory.clock', true), '')::timestamptz, past.as_of());
    comment on function past.clock is 'What time it was; a test that stops the clock has stopped it for the past, too.';
    execute format('create function past.since() returns timestamptz language sql stable parallel safe return %L::timestamptz',
                   coalesce((select max(since) from past_tables), '-infinity'));
    comment on function past.since is
        'Since when all is recorded: what had rows before that may have said anything.';
    create function past.not_recorded(what text) returns boolean language plpgsql stable as $body$
    begin
        raise exception '%', what using errcode = 'CR005';
    end
    $body$;
    comment on function past.not_recorded is 'Refuses to tell what is not known.';

    -- The tables ---------------------------------------------------------------------------------

    for shown in
        select t.name, t.keys, bool_or(kept) as keeps, columns_of('p', array_agg(c.name order by place)) as columns,
               string_agg(case when c.expression is null then format('p.%I', c.name) else format('(%s) as %I', c.expression, c.name) end,
                          ', ' order by place) as worked_out,
               -- What is kept, and nothing has happened to since, is in the row of now.
               string_agg(format(case when kept then 'case when k.key is null then (select r.%1$I from public.%2$I r where r.%3$I = l.key::%4$s) else %6$s end as %1$I'
                                      when t.keys = array[c.name::text] then 'l.key::%4$s as %1$I'
                                      else '%5$s as %1$I' end, c.name, t.name, t.keys[1], key_type, told, replace(told, 'l.old', 'k.old')),
                          ', ' order by place) filter (where expression is null) as told,
               string_agg(case when kept then format('%s as %I', replace(told, 'l.old', 'k.old'), c.name) else format('r.%I', c.name) end,
                          ', ' order by place) filter (where expression is null) as kept,
               -- A search remembers the rows that it has found by their places.
               t.name = 'search_documents' as placed, t.key_type
        from (select p.*, (select format_type(atttypid, atttypmod) from pg_attribute a where a.attrelid = p.oid and attname = keys[1]) as key_type
              from past_tables p) t
        join past_columns c on c."table" = t.name group by t.oid, t.name, t.keys, t.key_type
    loop
        -- What the first line since says, which is the first of those about the same row.
        said := $line$(
            select distinct on (c.key) c.key, c.seq, c.operation, c.old from public.changes c
            where c.entity = %L and c.xid >= (select past.oldest()) and not pg_visible_in_snapshot(c.xid, (select past.seen()))
            order by c.key, c.seq)$line$;
        -- Rows that nothing has happened to since, in their tables with all indexes; the others as
        -- their lines tell, which are looked for once for each part of a statement; and those of which
        -- only what is kept has changed.
        execute format($view$
            create view past.%1$I as
            select %2$s%6$s from public.%1$I p
            where not exists (
                select from public.changes c
                where c.entity = any (%3$L) and c.key = %4$s
                  and c.xid >= (select past.oldest()) and not pg_visible_in_snapshot(c.xid, (select past.seen())))
            union all
            select * from (
                with lines as materialized (select * from %7$s line where operation <> 'INSERT')%10$s
                select %5$s%6$s from (select %8$s%9$s from lines l%11$s) p) was$view$,
            shown.name, shown.columns,
            case when shown.keeps then array[shown.name, shown.name || '_kept'] else array[shown.name] end,
            key_text('p', shown.keys), shown.worked_out,
            case when shown.placed then ', p.ctid' end, format(said, shown.name), shown.told,
            case when shown.placed then $tid$, format('(%s,%s)', 4000000000 + l.seq / 30000, 1 + l.seq % 30000)::tid as ctid$tid$ end,
            case when shown.keeps then format(', kept as materialized (select * from %s line)', format(said, shown.name || '_kept')) end,
            case when shown.keeps then ' left join kept k on k.key = l.key' end)
        || case when shown.keeps then format($view$
            union all
            select %1$s from (
                select %2$s from %3$s k join public.%4$I r on r.%5$I = k.key::%6$s
                where not exists (
                    select from public.changes c
                    where c.entity = %4$L and c.key = k.key
                      and c.xid >= (select past.oldest()) and not pg_visible_in_snapshot(c.xid, (select past.seen())))) p$view$,
            shown.worked_out, shown.kept, format(said, shown.name || '_kept'), shown.name, shown.keys[1], shown.key_type) else '' end;
    end loop;

    -- What has no past -----------------------------------------------------------------------------

    for made in
        select c.relname as name, string_agg(format('null::%s as %I', format_type(a.atttypid, a.atttypmod), a.attname), ', ' order by a.attnum) as columns
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relkind in ('r', 'p', 'm', 'f') and c.relnamespace = 'public'::regnamespace and c.relname <> 'changes'
          and not exists (select from past_tables t where t.oid = c.oid)
          and not exists (select from pg_depend where objid = c.oid and deptype = 'e')
        group by c.relname
    loop
        execute format('create view past.%I as select %s where past.not_recorded(%L)', made.name, made.columns, made.name);
    end loop;
    -- The log itself is as long as it was.
    create view past.changes as
        select c.* from public.changes c
        where pg_visible_in_snapshot(c.xid, (select past.seen()));

    -- What reads them ----------------------------------------------------------------------------

    perform set_config('search_path', 'past, public, pg_temp', true);
    for made in select * from past_objects order by depth, name loop
        if made.is_view then
            execute format('create view past.%I as %s', made.name, made.text);
        else
            said := regexp_replace(made.text, '^CREATE OR REPLACE FUNCTION public\.', 'CREATE FUNCTION past.');
            execute regexp_replace(said, '\n SET search_path TO ', E'\n SET search_path TO ''past'', ');
        end if;
    end loop;
    perform set_config('search_path', 'public, pg_temp', true);

    -- Nothing of the present is among it.
    select string_agg(distinct format('%s reads %s', w.name, pg_describe_object(d.refclassid, d.refobjid, 0)), ', ') into said
    from (select 'pg_proc'::regclass as class, oid, proname as name from pg_proc where pronamespace = 'past'::regnamespace
          union all
          select 'pg_rewrite'::regclass, r.oid, c.relname from pg_rewrite r join pg_class c on c.oid = r.ev_class
          where c.relnamespace = 'past'::regnamespace and c.relname <> 'changes' and c.relname not in (select t.name from past_tables t)) w
    join pg_depend d on d.classid = w.class and d.objid = w.oid
    where exists (select from past_objects o where o.oid = d.refobjid)
       or exists (select from pg_class c where c.oid = d.refobjid and d.refclassid = 'pg_class'::regclass
                  and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p')
                  and not exists (select from pg_depend e where e.objid = c.oid and e.deptype = 'e'))
       or d.refobjid = 'public.clock'::regproc;
    if said is not null then
        raise exception 'the past would tell of the present: %', said;
    end if;
    drop table past_tables, past_columns, past_objects, past_edges;
end
$$;
comment on function rebuild_past is
    'Makes the schema past anew: a view of each table as it was, and all views and functions that read them. For whoever has changed any of these; db/migrate.py does it.';

create function look_back(at timestamptz) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    since constant timestamptz := (select greatest(c.at, past.since()) from commits c order by c.at limit 1);
    oldest xid8;
    newest xid8;
    others text;
begin
    -- The log runs by the real clock, whatever a test has done to the other.
    if look_back.at > clock_timestamp() then
        raise exception '`time` has not come yet, and nobody knows what will be said by then.' using errcode = 'CR001';
    elsif since is null or look_back.at < since then
        raise exception '%', to_char(since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') using errcode = 'CR004';
    end if;
    -- As Postgres itself says what a statement sees: all before the oldest transaction that was still
    -- to be committed; and of those that came after it, but not after all, all but these.
    oldest := (select min(c.xid) from commits c where c.at > look_back.at);
    if oldest is null then
        oldest := (select max(c.xid)::text::bigint + 1 from commits c)::text::xid8;
        newest := oldest;
    else
        select coalesce((max(c.xid) filter (where c.at <= look_back.at)::text::bigint + 1)::text::xid8, oldest)
        into newest from commits c where c.xid >= oldest;
        others := (select string_agg(c.xid::text, ',' order by c.xid) from commits c
                   where c.xid >= oldest and c.xid < newest and c.at > look_back.at);
    end if;
    perform set_config('directory.as_of', look_back.at::text, true);
    perform set_config('directory.seen', oldest || ':' || newest || ':' || coalesce(others, ''), true);
end
$$;
comment on function look_back is
    'Decides on the moment of the past at which the rest of this transaction looks, if it is known. The transaction has to be one that sees one moment, as repeatable read is: who commits meanwhile is neither before nor after.';
