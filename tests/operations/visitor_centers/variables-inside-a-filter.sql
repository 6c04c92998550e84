-- first road
-- $1 = 100
-- $2 = ['CRC', 'SQ']
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.slug as "slug",
            population_used(t0.institution_id, null::date) as "populationUsed"
          from visitor_centers t0
          where population_used(t0.institution_id, null::date) >= $1::int4
            and exists (
            select
            from institutions t1
            where t1.id = t0.institution_id
              and t1.code = any($2::text[])
          )
          order by t0.name, t0.id
          limit 20
        ) r) as "nodes"
    ) r) as "visitorCenters"
) r;
