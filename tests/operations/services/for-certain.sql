-- first road
-- $1 = 'SUBSTANCE_USE'
-- $2 = '06083'
-- $3 = 'FEMALE'
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
              and t1.category_code = $1::text
          )
            and t0.county_fips = $2::text
        ) as "totalCount"
    ) r) as "all",
    (select r from (
      select (
          select count(*)
          from services t2
          where t2.listed
            and exists (
            select
            from service_categories t3
            where t3.service_id = t2.id
              and t3.category_code = $1::text
          )
            and t2.county_fips = $2::text
            and service_fits(t2.criteria, t2.id, t2.audience, t2.audience_only, t2.accepts_people_with_records, t2.offence_exclusions, t2.gender, t2.minimum_age, t2.maximum_age, t2.referral_routes, t2.languages, t2.noted_languages, t2.documents, t2.fees, t2.county_fips, t2.accessibility, t2.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[])
        ) as "totalCount",
        array(select r from (
          select t4.name as "name",
            t4.serves as "serves",
            service_fits(t4.criteria, t4.id, t4.audience, t4.audience_only, t4.accepts_people_with_records, t4.offence_exclusions, t4.gender, t4.minimum_age, t4.maximum_age, t4.referral_routes, t4.languages, t4.noted_languages, t4.documents, t4.fees, t4.county_fips, t4.accessibility, t4.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) as "fits"
          from services t4
          where t4.listed
            and exists (
            select
            from service_categories t5
            where t5.service_id = t4.id
              and t5.category_code = $1::text
          )
            and t4.county_fips = $2::text
            and service_fits(t4.criteria, t4.id, t4.audience, t4.audience_only, t4.accepts_people_with_records, t4.offence_exclusions, t4.gender, t4.minimum_age, t4.maximum_age, t4.referral_routes, t4.languages, t4.noted_languages, t4.documents, t4.fees, t4.county_fips, t4.accessibility, t4.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[])
          order by t4.name, t4.id
          limit 2
        ) r) as "nodes"
    ) r) as "certain",
    (select r from (
      select (
          select count(*)
          from services t6
          where t6.listed
            and exists (
            select
            from service_categories t7
            where t7.service_id = t6.id
              and t7.category_code = $1::text
          )
            and t6.county_fips = $2::text
            and service_fits(t6.criteria, t6.id, t6.audience, t6.audience_only, t6.accepts_people_with_records, t6.offence_exclusions, t6.gender, t6.minimum_age, t6.maximum_age, t6.referral_routes, t6.languages, t6.noted_languages, t6.documents, t6.fees, t6.county_fips, t6.accessibility, t6.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) is not true
            and service_may_fit(t6.audience, t6.audience_only, t6.accepts_people_with_records, t6.offence_exclusions, t6.gender, t6.minimum_age, t6.maximum_age, t6.referral_routes, t6.languages, t6.noted_languages, t6.documents, t6.fees, t6.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[])
        ) as "totalCount",
        array(select r from (
          select t8.name as "name",
            t8.serves as "serves",
            service_fits(t8.criteria, t8.id, t8.audience, t8.audience_only, t8.accepts_people_with_records, t8.offence_exclusions, t8.gender, t8.minimum_age, t8.maximum_age, t8.referral_routes, t8.languages, t8.noted_languages, t8.documents, t8.fees, t8.county_fips, t8.accessibility, t8.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) as "fits",
            service_may_fit(t8.audience, t8.audience_only, t8.accepts_people_with_records, t8.offence_exclusions, t8.gender, t8.minimum_age, t8.maximum_age, t8.referral_routes, t8.languages, t8.noted_languages, t8.documents, t8.fees, t8.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) as "mayFit"
          from services t8
          where t8.listed
            and exists (
            select
            from service_categories t9
            where t9.service_id = t8.id
              and t9.category_code = $1::text
          )
            and t8.county_fips = $2::text
            and service_fits(t8.criteria, t8.id, t8.audience, t8.audience_only, t8.accepts_people_with_records, t8.offence_exclusions, t8.gender, t8.minimum_age, t8.maximum_age, t8.referral_routes, t8.languages, t8.noted_languages, t8.documents, t8.fees, t8.county_fips, t8.accessibility, t8.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) is not true
            and service_may_fit(t8.audience, t8.audience_only, t8.accepts_people_with_records, t8.offence_exclusions, t8.gender, t8.minimum_age, t8.maximum_age, t8.referral_routes, t8.languages, t8.noted_languages, t8.documents, t8.fees, t8.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[])
          order by t8.name, t8.id
          limit 1
        ) r) as "nodes"
    ) r) as "possible",
    (select r from (
      select (
          select count(*)
          from services t10
          where t10.listed
            and exists (
            select
            from service_categories t11
            where t11.service_id = t10.id
              and t11.category_code = $1::text
          )
            and t10.county_fips = $2::text
            and service_may_fit(t10.audience, t10.audience_only, t10.accepts_people_with_records, t10.offence_exclusions, t10.gender, t10.minimum_age, t10.maximum_age, t10.referral_routes, t10.languages, t10.noted_languages, t10.documents, t10.fees, t10.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) is not true
        ) as "totalCount",
        array(select r from (
          select t12.name as "name",
            t12.serves as "serves",
            service_may_fit(t12.audience, t12.audience_only, t12.accepts_people_with_records, t12.offence_exclusions, t12.gender, t12.minimum_age, t12.maximum_age, t12.referral_routes, t12.languages, t12.noted_languages, t12.documents, t12.fees, t12.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) as "mayFit",
            (select r from (
              select t13.verdict as "verdict",
                array(select r from (
                  select t14.place as "place",
                    t14.criterion as "criterion",
                    t14.verdict as "verdict",
                    t14.text_en as "text"
                  from each_reason(t13.reasons) t14
                  order by t14.place
                  limit 100
                ) r) as "reasons"
              from service_match(t12.id, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) t13
            ) r) as "matches"
          from services t12
          where t12.listed
            and exists (
            select
            from service_categories t15
            where t15.service_id = t12.id
              and t15.category_code = $1::text
          )
            and t12.county_fips = $2::text
            and service_may_fit(t12.audience, t12.audience_only, t12.accepts_people_with_records, t12.offence_exclusions, t12.gender, t12.minimum_age, t12.maximum_age, t12.referral_routes, t12.languages, t12.noted_languages, t12.documents, t12.fees, t12.conditions, null::text[], null::text[], null::bool, null::text[], $3::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) is not true
          order by t12.name, t12.id
          limit 1
        ) r) as "nodes"
    ) r) as "no"
) r;
