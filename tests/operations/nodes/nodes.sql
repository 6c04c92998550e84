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
              coalesce(t1.label_es, (
                select t2.text
                from translations t2
                where t2.category_code = t1.code
                  and t2.field = 'label'
                  and t2.original = t1.label_en
                  and t2.language = 'ES'
              ), t1.label_en) as "label"
            from categories t1
            where t1.code = t0.key::text
          ) r)
          when 'County' then (select row_to_json(r) from (
            select 'County' as "__typename",
              'County:' || t3.fips::text as "id",
              t3.fips as "fips",
              (select r from (
                select (
                    select count(*)
                    from institutions t4
                    where t4.county_fips = t3.fips
                  ) as "totalCount"
              ) r) as "institutions"
            from counties t3
            where t3.fips = t0.key::text
          ) r)
        end
      from unnest($1::text[], $2::text[]) with ordinality t0(kind, key, n)
      order by t0.n
    ) as "nodes"
) r;
