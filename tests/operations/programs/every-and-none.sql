-- first road
-- $1 = 'Marin'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from programs t0
          where exists (
            select
            from institutions t2
            where exists (
              select
              from ongoing_offerings t3
              where t3.program_id = t0.id
                and t2.id = t3.institution_id
            )
          )
            and not exists (
            select
            from institutions t5
            where exists (
              select
              from ongoing_offerings t6
              where t6.program_id = t0.id
                and t5.id = t6.institution_id
            )
              and exists (
              select
              from counties t7
              where t7.fips = t5.county_fips
                and t7.name = $1::text
            ) is not true
          )
        ) as "totalCount",
        array(select r from (
          select t8.slug as "slug"
          from programs t8
          where exists (
            select
            from institutions t10
            where exists (
              select
              from ongoing_offerings t11
              where t11.program_id = t8.id
                and t10.id = t11.institution_id
            )
          )
            and not exists (
            select
            from institutions t13
            where exists (
              select
              from ongoing_offerings t14
              where t14.program_id = t8.id
                and t13.id = t14.institution_id
            )
              and exists (
              select
              from counties t15
              where t15.fips = t13.county_fips
                and t15.name = $1::text
            ) is not true
          )
          order by t8.name, t8.id
          limit 5
        ) r) as "nodes"
    ) r) as "runsOnlyInMarin",
    (select r from (
      select (
          select count(*)
          from programs t16
          where not exists (
            select
            from program_offerings t17
            where t17.program_id = t16.id
          )
        ) as "totalCount",
        array(select r from (
          select t18.slug as "slug",
            t18.scope as "scope"
          from programs t18
          where not exists (
            select
            from program_offerings t19
            where t19.program_id = t18.id
          )
          order by t18.name, t18.id
          limit 20
        ) r) as "nodes"
    ) r) as "runsNowhereKnown"
) r;
