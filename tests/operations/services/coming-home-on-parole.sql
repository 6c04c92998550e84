-- second road
-- $1 = ['HOUSING', 'HOUSING_SOBER_LIVING']
-- $2 = '06019'
-- $3 = ['PAROLE']
-- $4 = ['SELF']
-- $5 = ['es']
-- $6 = 'SUBSTANCE_USE'
-- $7 = 'HOUSING'
-- $8 = '06075'
-- $9 = ['es']
-- $10 = True
-- $11 = 'ES'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from services t0
          where t0.listed
            and exists (
            select
            from service_categories t1
            where t1.service_id = t0.id
              and t1.category_code = any($1::text[])
          )
            and t0.county_fips = $2::text
            and service_may_fit(t0.audience, t0.audience_only, t0.accepts_people_with_records, t0.offence_exclusions, t0.gender, t0.minimum_age, t0.maximum_age, t0.referral_routes, t0.languages, t0.noted_languages, t0.documents, t0.fees, t0.conditions, $3::text[], null::text[], null::bool, null::text[], null::text, null::int4, null::int4, $4::text[], $5::text[], null::text[], null::bool, null::text, null::text[])
        ) as "totalCount"
    ) r) as "fresnoHousing",
    (select r from (
      select (
          select count(*)
          from services t2
          where t2.listed
            and exists (
            select
            from service_categories t3
            where t3.service_id = t2.id
              and t3.category_code = $6::text
          )
            and t2.county_fips = $2::text
            and service_may_fit(t2.audience, t2.audience_only, t2.accepts_people_with_records, t2.offence_exclusions, t2.gender, t2.minimum_age, t2.maximum_age, t2.referral_routes, t2.languages, t2.noted_languages, t2.documents, t2.fees, t2.conditions, $3::text[], null::text[], null::bool, null::text[], null::text, null::int4, null::int4, $4::text[], $5::text[], null::text[], null::bool, null::text, null::text[])
        ) as "totalCount",
        array(select r from (
          select t4.name as "name",
            (select r from (
              select t5.verdict as "verdict",
                array(select r from (
                  select t6.criterion as "criterion",
                    t6.verdict as "verdict",
                    coalesce(t6.text_es, t6.text_en) as "text"
                  from each_reason(t5.reasons) t6
                  order by t6.place
                  limit 100
                ) r) as "reasons"
              from service_match(t4.id, $3::text[], null::text[], null::bool, null::text[], null::text, null::int4, null::int4, $4::text[], $5::text[], null::text[], null::bool, null::text, null::text[]) t5
            ) r) as "matches"
          from services t4
          where t4.listed
            and exists (
            select
            from service_categories t7
            where t7.service_id = t4.id
              and t7.category_code = $6::text
          )
            and t4.county_fips = $2::text
            and service_may_fit(t4.audience, t4.audience_only, t4.accepts_people_with_records, t4.offence_exclusions, t4.gender, t4.minimum_age, t4.maximum_age, t4.referral_routes, t4.languages, t4.noted_languages, t4.documents, t4.fees, t4.conditions, $3::text[], null::text[], null::bool, null::text[], null::text, null::int4, null::int4, $4::text[], $5::text[], null::text[], null::bool, null::text, null::text[])
          order by t4.name, t4.id
          limit 1
        ) r) as "nodes"
    ) r) as "fresnoTreatment",
    (select r from (
      select (
          select count(*)
          from services t8
          where t8.listed
            and exists (
            select
            from service_categories t9
            where t9.service_id = t8.id
              and t9.category_code = $7::text
          )
            and t8.county_fips = $8::text
            and t8.languages @> $9::text[]
            and t8.accepts_people_with_records = $10::bool
            and service_may_fit(t8.audience, t8.audience_only, t8.accepts_people_with_records, t8.offence_exclusions, t8.gender, t8.minimum_age, t8.maximum_age, t8.referral_routes, t8.languages, t8.noted_languages, t8.documents, t8.fees, t8.conditions, $3::text[], null::text[], null::bool, null::text[], null::text, null::int4, null::int4, $4::text[], $5::text[], null::text[], null::bool, null::text, null::text[])
        ) as "totalCount",
        array(select r from (
          select t10.name as "name",
            (select r from (
              select t11.name as "name",
                array(select r from (
                  select t12.number as ".number",
                    t12.extension as ".extension"
                  from phones t12
                  where t12.provider_id = t11.id
                  order by t12.number, t12.id
                  limit 100
                ) r) as "phones"
              from providers t11
              where t11.id = t10.provider_id
            ) r) as "provider",
            t10.languages as "languages",
            t10.referral_routes as "referralRoutes",
            array(select r from (
              select document_name(t13.document, $11::text) as "name",
                t13.note as "note"
              from required_documents t13
              where t13.service_id = t10.id
              order by t13.document, t13.id
              limit 100
            ) r) as "requiredDocuments",
            array(select r from (
              select t14.option as "option",
                t14.amount_cents as "amountCents",
                t14.note as "note"
              from cost_options t14
              where t14.service_id = t10.id
              order by t14.option, t14.id
              limit 100
            ) r) as "costOptions",
            (select r from (
              select array(select r from (
                  select (select r from (
                      select t16.public_street as "street",
                        t16.public_city as "city"
                      from locations t16
                      where t16.id = t15.location_id
                    ) r) as "location",
                    array(select r from (
                      select capacity_available(t17.available, t17.counted_at, t17.expires_after_hours) as "available",
                        t17.unit as "unit",
                        t17.counted_at as "countedAt"
                      from service_capacities t17
                      where t17.service_at_location_id = t15.id
                      order by t17.unit, t17.id
                      limit 100
                    ) r) as "capacities"
                  from services_at_locations t15
                  where t15.service_id = t10.id
                    and t15.listed
                  order by t15.id
                  limit 20
                ) r) as "nodes"
            ) r) as "atLocations",
            (select r from (
              select t18.verdict as "verdict",
                array(select r from (
                  select t19.criterion as "criterion",
                    t19.verdict as "verdict",
                    t19.text_en as "text",
                    coalesce(t19.text_es, t19.text_en) as "textoEnEspanol"
                  from each_reason(t18.reasons) t19
                  order by t19.place
                  limit 100
                ) r) as "reasons"
              from service_match(t10.id, $3::text[], null::text[], null::bool, null::text[], null::text, null::int4, null::int4, $4::text[], $5::text[], null::text[], null::bool, null::text, null::text[]) t18
            ) r) as "matches"
          from services t10
          where t10.listed
            and exists (
            select
            from service_categories t20
            where t20.service_id = t10.id
              and t20.category_code = $7::text
          )
            and t10.county_fips = $8::text
            and t10.languages @> $9::text[]
            and t10.accepts_people_with_records = $10::bool
            and service_may_fit(t10.audience, t10.audience_only, t10.accepts_people_with_records, t10.offence_exclusions, t10.gender, t10.minimum_age, t10.maximum_age, t10.referral_routes, t10.languages, t10.noted_languages, t10.documents, t10.fees, t10.conditions, $3::text[], null::text[], null::bool, null::text[], null::text, null::int4, null::int4, $4::text[], $5::text[], null::text[], null::bool, null::text, null::text[])
          order by t10.name, t10.id
          limit 2
        ) r) as "nodes"
    ) r) as "sanFranciscoHousing"
) r;
