-- first road
-- $1 = 'ACTIVE'
-- $2 = 'ARTS'
-- $3 = 'arts-in-corrections'
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name",
        t0.delivered_by as "deliveredBy",
        (select r from (
          select (
              select count(*)
              from program_offerings t1
              where t1.program_id = t0.id
                and t1.status = $1::text
            ) as "totalCount",
            array(select r from (
              select (select r from (
                  select t2.as_of as "asOf",
                    t2.evidence as "evidence",
                    (select r from (
                      select t3.code as "code",
                        (select r from (
                          select t4.name as "name"
                          from counties t4
                          where t4.fips = t3.county_fips
                        ) r) as "county",
                        t3.security_levels as "securityLevels",
                        (select r from (
                          select array(select r from (
                              select t5.name as "name",
                                t5.delivered_by as "deliveredBy"
                              from programs t5
                              where exists (
                                select
                                from ongoing_offerings t7
                                where t7.institution_id = t3.id
                                  and t5.id = t7.program_id
                              )
                                and exists (
                                select
                                from program_categories t6
                                where t6.program_id = t5.id
                                  and t6.category_code = $2::text
                              )
                              order by t5.name, t5.id
                              limit 3
                            ) r) as "nodes"
                        ) r) as "programs"
                      from institutions t3
                      where t3.id = t2.institution_id
                    ) r) as "institution"
                ) r) as "node"
              from program_offerings t2
              where t2.program_id = t0.id
                and t2.status = $1::text
              order by (
                select t8.code
                from institutions t8
                where t8.id = t2.institution_id
              ), t2.id
              limit 3
            ) r) as "edges"
        ) r) as "offerings"
      from programs t0
      where t0.slug = $3::text
    ) r) as "program"
) r;
