-- first road
-- $1 = 'CONSERVATION_CAMP'
-- $2 = 'STATEWIDE_CLAIM'
-- $3 = 'SQ'
select row_to_json(r)
from (
  select (select r from (
      select 'InstitutionConnection' as "__typename",
        (
          select count(*)
          from institutions t0
          where t0.institution_type = $1::text
        ) as "totalCount"
    ) r) as "institutions",
    (select r from (
      select (select r from (
          select (
              select count(*)
              from programs t2
              where exists (
                select
                from ongoing_offerings t3
                where t3.institution_id = t1.id
                  and t2.id = t3.program_id
              )
            ) as "totalCount"
        ) r) as "programs",
        (select r from (
          select (
              select count(*)
              from program_offerings t4
              where t4.institution_id = t1.id
                and t4.evidence = $2::text
            ) as "totalCount"
        ) r) as "programOfferings"
      from institutions t1
      where t1.code = $3::text
    ) r) as "institution"
) r;
