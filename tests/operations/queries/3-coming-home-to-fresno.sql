-- second road
-- $1 = '93721'
-- $2 = ['HOUSING', 'HOUSING_SOBER_LIVING', 'HOUSING_SHELTER']
-- $3 = ['es']
-- $4 = datetime.datetime(2026, 7, 3, 18, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=61200)))
-- $5 = 120.0
-- $6 = None
-- $7 = ['PAROLE']
-- $8 = True
-- $9 = ['SELF']
-- $10 = ['es']
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t18.name,
          t18.provider_id,
          t18.id,
          t18.fresh_until,
          t18.aging_until,
          t18.verified_at,
          t18.verification_method,
          t18.".d",
          row_number() over() as ".n"
        from (
          select t31.name,
            t31.provider_id,
            t31.id,
            t31.fresh_until,
            t31.aging_until,
            t31.verified_at,
            t31.verification_method,
            t31.".d"
          from (
            (
              select t17.name,
                t17.provider_id,
                t17.id,
                t17.fresh_until,
                t17.aging_until,
                t17.verified_at,
                t17.verification_method,
                t20.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                ) as ".d",
                t17.id as ".0"
              from locations t20
              join generate_series(1, num_nonnulls(t20.position)) t21 on true
              join services_at_locations t19 on t20.id = t19.location_id
              join services t17 on t19.service_id = t17.id
              where t17.listed
                and exists (
                select
                from service_categories t27
                where t27.service_id = t17.id
                  and t27.category_code = any($2::text[])
              )
                and t17.languages @> $3::text[]
                and t17.referral_routes && '{ANY,SELF}'::text[]
                and (t17.id in (
                select t28.key
                from services_open_at($4::timestamptz) t28(key)
              )) is true
                and t20.position <@ cube_enlarge((
                select near_position($1::text, null::float8, null::float8)
              ), chord(coalesce($5::float8, 50.0::float8)), 3)
                and (t20.position <-> (
                select near_position($1::text, null::float8, null::float8)
              )) <= chord(coalesce($5::float8, 50.0::float8))
                and exists (
                select
                from services_at_locations t22
                join locations t23 on t23.id = t22.location_id
                where t22.service_id = t17.id
                  and (t23.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                ), t23.id) < (t20.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                ), t20.id)
              ) is not true
              order by t20.position <-> (
                select near_position($1::text, null::float8, null::float8)
              )
              fetch first (21) rows with ties
            )
            union all
            (
              select t17.name,
                t17.provider_id,
                t17.id,
                t17.fresh_until,
                t17.aging_until,
                t17.verified_at,
                t17.verification_method,
                null::float8 as ".d",
                t17.id as ".0"
              from services t17
              where t17.listed
                and exists (
                select
                from service_categories t29
                where t29.service_id = t17.id
                  and t29.category_code = any($2::text[])
              )
                and t17.languages @> $3::text[]
                and t17.referral_routes && '{ANY,SELF}'::text[]
                and (t17.id in (
                select t30.key
                from services_open_at($4::timestamptz) t30(key)
              )) is true
                and exists (
                select
                from statewide_services t24
                where t24.service_id = t17.id
              )
                and exists (
                select
                from services_at_locations t25
                join locations t26 on t26.id = t25.location_id
                where t25.service_id = t17.id
                  and t26.position <@ cube_enlarge((
                  select near_position($1::text, null::float8, null::float8)
                ), chord(coalesce($5::float8, 50.0::float8)), 3)
                  and (t26.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                )) <= chord(coalesce($5::float8, 50.0::float8))
              ) is not true
              order by t17.id
              limit 21
            )
          ) t31
          order by t31.".d", t31.".0"
          limit 21
        ) t18
      )
      select (
          select count(*)
          from services t1
          where t1.listed
            and exists (
            select
            from service_categories t5
            where t5.service_id = t1.id
              and t5.category_code = any($2::text[])
          )
            and t1.languages @> $3::text[]
            and t1.referral_routes && '{ANY,SELF}'::text[]
            and (t1.id in (
            select t6.key
            from services_open_at($4::timestamptz) t6(key)
          )) is true
            and t1.id in (
            (
              select t2.service_id
              from services_at_locations t2
              join locations t3 on t3.id = t2.location_id
              where t3.position <@ cube_enlarge((
                select near_position($1::text, null::float8, null::float8)
              ), chord(coalesce($5::float8, 50.0::float8)), 3)
                and (t3.position <-> (
                select near_position($1::text, null::float8, null::float8)
              )) <= chord(coalesce($5::float8, 50.0::float8))
            )
            union all
            (
              select t4.service_id
              from statewide_services t4
            )
          )
        ) as "totalCount",
        array(select r from (
          select round(miles(t7.".d")::numeric, 2)::float8 as "distanceMiles",
            (select r from (
              select t7.name as "name",
                (select r from (
                  select t8.name as "name",
                    array(select r from (
                      select t9.number as ".number",
                        t9.extension as ".extension"
                      from phones t9
                      where t9.provider_id = t8.id
                      order by t9.number, t9.id
                      limit 100
                    ) r) as "phones"
                  from providers t8
                  where t8.id = t7.provider_id
                ) r) as "provider",
                (select r from (
                  select array(select r from (
                      select (select r from (
                          select t11.public_street as "street",
                            t11.public_city as "city"
                          from locations t11
                          where t11.id = t10.location_id
                        ) r) as "location",
                        open_now(t10.id) as "openNow",
                        hours_state(t10.id, null::timestamptz) as "hoursState",
                        (select r from (
                          select t12.opens_at as "opensAt"
                          from next_opening(t10.id) t12
                        ) r) as "nextOpening",
                        array(select r from (
                          select t13.unit as "unit",
                            capacity_available(t13.available, t13.counted_at, t13.expires_after_hours) as "available",
                            t13.counted_at as "countedAt"
                          from service_capacities t13
                          where t13.service_at_location_id = t10.id
                          order by t13.unit, t13.id
                          limit 100
                        ) r) as "capacities"
                      from services_at_locations t10
                      where t10.service_id = t7.id
                        and t10.listed
                      order by t10.id
                      limit 20
                    ) r) as "nodes"
                ) r) as "atLocations",
                array(select r from (
                  select document_name(t14.document, $6::text) as "name"
                  from required_documents t14
                  where t14.service_id = t7.id
                  order by t14.document, t14.id
                  limit 100
                ) r) as "requiredDocuments",
                (select r from (
                  select t15.verdict as "verdict",
                    array(select r from (
                      select t16.criterion as "criterion",
                        t16.verdict as "verdict",
                        coalesce(t16.text_es, t16.text_en) as "text"
                      from each_reason(t15.reasons) t16
                      order by t16.place
                      limit 100
                    ) r) as "reasons"
                  from service_match(t7.id, $7::text[], null::text[], $8::bool, null::text[], null::text, null::int4, null::int4, $9::text[], $10::text[], null::text[], null::bool, null::text, null::text[]) t15
                ) r) as "matches",
                (select r from (
                  select freshness_state(t7.fresh_until, t7.aging_until) as "state",
                    t7.verified_at as "verifiedAt",
                    t7.verification_method as "method"
                ) r) as "freshness"
            ) r) as "node"
          from p0 t7
          where t7.".n" <= 20
          order by t7.".n"
        ) r) as "edges"
    ) r) as "certain",
    (select r from (
      with p32 as materialized (
        select t49.name,
          t49.provider_id,
          t49.id,
          t49.fresh_until,
          t49.aging_until,
          t49.verified_at,
          t49.verification_method,
          t49.".d",
          row_number() over() as ".n"
        from (
          select t60.name,
            t60.provider_id,
            t60.id,
            t60.fresh_until,
            t60.aging_until,
            t60.verified_at,
            t60.verification_method,
            t60.".d"
          from (
            (
              select t48.name,
                t48.provider_id,
                t48.id,
                t48.fresh_until,
                t48.aging_until,
                t48.verified_at,
                t48.verification_method,
                t51.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                ) as ".d",
                t48.id as ".0"
              from locations t51
              join generate_series(1, num_nonnulls(t51.position)) t52 on true
              join services_at_locations t50 on t51.id = t50.location_id
              join services t48 on t50.service_id = t48.id
              where t48.listed
                and exists (
                select
                from service_categories t58
                where t58.service_id = t48.id
                  and t58.category_code = any($2::text[])
              )
                and service_may_fit(t48.audience, t48.audience_only, t48.accepts_people_with_records, t48.offence_exclusions, t48.gender, t48.minimum_age, t48.maximum_age, t48.referral_routes, t48.languages, t48.noted_languages, t48.documents, t48.fees, t48.conditions, $7::text[], null::text[], $8::bool, null::text[], null::text, null::int4, null::int4, $9::text[], $10::text[], null::text[], null::bool, null::text, null::text[])
                and t51.position <@ cube_enlarge((
                select near_position($1::text, null::float8, null::float8)
              ), chord(coalesce($5::float8, 50.0::float8)), 3)
                and (t51.position <-> (
                select near_position($1::text, null::float8, null::float8)
              )) <= chord(coalesce($5::float8, 50.0::float8))
                and exists (
                select
                from services_at_locations t53
                join locations t54 on t54.id = t53.location_id
                where t53.service_id = t48.id
                  and (t54.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                ), t54.id) < (t51.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                ), t51.id)
              ) is not true
              order by t51.position <-> (
                select near_position($1::text, null::float8, null::float8)
              )
              fetch first (3) rows with ties
            )
            union all
            (
              select t48.name,
                t48.provider_id,
                t48.id,
                t48.fresh_until,
                t48.aging_until,
                t48.verified_at,
                t48.verification_method,
                null::float8 as ".d",
                t48.id as ".0"
              from services t48
              where t48.listed
                and exists (
                select
                from service_categories t59
                where t59.service_id = t48.id
                  and t59.category_code = any($2::text[])
              )
                and service_may_fit(t48.audience, t48.audience_only, t48.accepts_people_with_records, t48.offence_exclusions, t48.gender, t48.minimum_age, t48.maximum_age, t48.referral_routes, t48.languages, t48.noted_languages, t48.documents, t48.fees, t48.conditions, $7::text[], null::text[], $8::bool, null::text[], null::text, null::int4, null::int4, $9::text[], $10::text[], null::text[], null::bool, null::text, null::text[])
                and exists (
                select
                from statewide_services t55
                where t55.service_id = t48.id
              )
                and exists (
                select
                from services_at_locations t56
                join locations t57 on t57.id = t56.location_id
                where t56.service_id = t48.id
                  and t57.position <@ cube_enlarge((
                  select near_position($1::text, null::float8, null::float8)
                ), chord(coalesce($5::float8, 50.0::float8)), 3)
                  and (t57.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                )) <= chord(coalesce($5::float8, 50.0::float8))
              ) is not true
              order by t48.id
              limit 3
            )
          ) t60
          order by t60.".d", t60.".0"
          limit 3
        ) t49
      )
      select (
          select count(*)
          from services t33
          where t33.listed
            and exists (
            select
            from service_categories t37
            where t37.service_id = t33.id
              and t37.category_code = any($2::text[])
          )
            and service_may_fit(t33.audience, t33.audience_only, t33.accepts_people_with_records, t33.offence_exclusions, t33.gender, t33.minimum_age, t33.maximum_age, t33.referral_routes, t33.languages, t33.noted_languages, t33.documents, t33.fees, t33.conditions, $7::text[], null::text[], $8::bool, null::text[], null::text, null::int4, null::int4, $9::text[], $10::text[], null::text[], null::bool, null::text, null::text[])
            and t33.id in (
            (
              select t34.service_id
              from services_at_locations t34
              join locations t35 on t35.id = t34.location_id
              where t35.position <@ cube_enlarge((
                select near_position($1::text, null::float8, null::float8)
              ), chord(coalesce($5::float8, 50.0::float8)), 3)
                and (t35.position <-> (
                select near_position($1::text, null::float8, null::float8)
              )) <= chord(coalesce($5::float8, 50.0::float8))
            )
            union all
            (
              select t36.service_id
              from statewide_services t36
            )
          )
        ) as "totalCount",
        array(select r from (
          select round(miles(t38.".d")::numeric, 2)::float8 as "distanceMiles",
            (select r from (
              select t38.name as "name",
                (select r from (
                  select t39.name as "name",
                    array(select r from (
                      select t40.number as ".number",
                        t40.extension as ".extension"
                      from phones t40
                      where t40.provider_id = t39.id
                      order by t40.number, t40.id
                      limit 100
                    ) r) as "phones"
                  from providers t39
                  where t39.id = t38.provider_id
                ) r) as "provider",
                (select r from (
                  select array(select r from (
                      select (select r from (
                          select t42.public_street as "street",
                            t42.public_city as "city"
                          from locations t42
                          where t42.id = t41.location_id
                        ) r) as "location",
                        open_now(t41.id) as "openNow",
                        hours_state(t41.id, null::timestamptz) as "hoursState",
                        (select r from (
                          select t43.opens_at as "opensAt"
                          from next_opening(t41.id) t43
                        ) r) as "nextOpening",
                        array(select r from (
                          select t44.unit as "unit",
                            capacity_available(t44.available, t44.counted_at, t44.expires_after_hours) as "available",
                            t44.counted_at as "countedAt"
                          from service_capacities t44
                          where t44.service_at_location_id = t41.id
                          order by t44.unit, t44.id
                          limit 100
                        ) r) as "capacities"
                      from services_at_locations t41
                      where t41.service_id = t38.id
                        and t41.listed
                      order by t41.id
                      limit 20
                    ) r) as "nodes"
                ) r) as "atLocations",
                array(select r from (
                  select document_name(t45.document, $6::text) as "name"
                  from required_documents t45
                  where t45.service_id = t38.id
                  order by t45.document, t45.id
                  limit 100
                ) r) as "requiredDocuments",
                (select r from (
                  select t46.verdict as "verdict",
                    array(select r from (
                      select t47.criterion as "criterion",
                        t47.verdict as "verdict",
                        coalesce(t47.text_es, t47.text_en) as "text"
                      from each_reason(t46.reasons) t47
                      order by t47.place
                      limit 100
                    ) r) as "reasons"
                  from service_match(t38.id, $7::text[], null::text[], $8::bool, null::text[], null::text, null::int4, null::int4, $9::text[], $10::text[], null::text[], null::bool, null::text, null::text[]) t46
                ) r) as "matches",
                (select r from (
                  select freshness_state(t38.fresh_until, t38.aging_until) as "state",
                    t38.verified_at as "verifiedAt",
                    t38.verification_method as "method"
                ) r) as "freshness"
            ) r) as "node"
          from p32 t38
          where t38.".n" <= 2
          order by t38.".n"
        ) r) as "edges"
    ) r) as "possible"
) r;
