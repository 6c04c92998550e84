-- first road
-- $1 = 'friends-outside-sq'
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t1.code as "code",
            t1.label_en as "english",
            coalesce(t1.label_es, t1.label_en) as "spanish",
            coalesce(t1.label_es, t1.label_en) as "asked",
            t1.statutory as "statutory"
          from visitor_amenities t1
          where exists (
            select
            from visitor_center_amenities t2
            where t2.visitor_center_id = t0.id
              and t1.code = t2.amenity_code
          )
          order by t1.label_en, t1.code
          limit 100
        ) r) as "amenities"
      from visitor_centers t0
      where t0.slug = $1::text
    ) r) as "visitorCenter"
) r;
