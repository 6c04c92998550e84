-- first road
-- $1 = ['County', 'Category', 'County', 'County', 'Category']
-- $2 = ['06073', 'HOUSING', '99999', '06073', 'NONE']
select row_to_json(r)
from (
  select array(
      select case t0.kind
          when 'Category' then (select row_to_json(r) from (
            select 'Category' as "__typename",
              'Category:' || t1.code::text as "id",
              coalesce(t1.label_es, t1.label_en) as "label"
            from categories t1
            where t1.code = t0.key::text
          ) r)
          when 'County' then (select row_to_json(r) from (
            select 'County' as "__typename",
              'County:' || t2.fips::text as "id",
              t2.fips as "fips",
              (select r from (
                select (
                    select count(*)
                    from institutions t3
                    where t3.county_fips = t2.fips
                  ) as "totalCount"
              ) r) as "institutions"
            from counties t2
            where t2.fips = t0.key::text
          ) r)
        end
      from unnest($1::text[], $2::text[]) with ordinality t0(kind, key, n)
      order by t0.n
    ) as "nodes"
) r;
