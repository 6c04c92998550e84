select row_to_json(r)
from (
  select (select r from (
    select i.code, i.name, i.status, i.website,
      array(select r from (
        select h.number, h.kind, h.purpose from phones h
        where h.institution_id = i.id order by h.number, h.id limit 100
      ) r) as phones,
      (select r from (
        select l.public_street as street, l.public_city as city, l.public_zip as zip,
          l.public_latitude as latitude, l.public_longitude as longitude
        from locations l where l.id = i.location_id
      ) r) as location,
      (select r from (
        select v.status, v.exceptions, v.affected_yards as "affectedYards",
          v.last_updated as "lastUpdated"
        from visiting_statuses v
        where v.institution_id = i.id and v.visit_type = 'IN_PERSON'
        order by v.last_updated desc, v.created_at desc, v.id limit 1
      ) r) as "visitingStatus",
      (select r from (select array(select r from (
        select c.name, c.status, c.alert, c.van_notice_days as "vanNoticeDays",
          (select r from (select p.name from providers p where p.id = c.operator_id) r) as operator,
          array(select r from (
            select h.number from phones h
            where h.visitor_center_id = c.id order by h.number, h.id limit 100
          ) r) as phones,
          array(select r from (
            select a.code, a.label_en as label
            from visitor_center_amenities ca join visitor_amenities a on a.code = ca.amenity_code
            where ca.visitor_center_id = c.id order by a.label_en, a.code limit 100
          ) r) as amenities
        from visitor_centers c where c.institution_id = i.id order by c.name, c.id limit 5
      ) r) as nodes) r) as "visitorCenters",
      (select r from (select
        (select count(*) from program_offerings o where o.institution_id = i.id) as "totalCount",
        array(select r from (
          select p.name, p.summary
          from program_offerings o join programs p on p.id = o.program_id
          where o.institution_id = i.id order by p.name, p.id limit 20
        ) r) as nodes) r) as programs,
      (select r from (select n.name,
        (select r from (select array(select r from (
          select p.name, p.website,
            (select r from (
              select l.public_street as street, l.public_city as city
              from locations l where l.id = p.location_id
            ) r) as location,
            array(select r from (
              select h.number from phones h
              where h.provider_id = p.id order by h.number, h.id limit 100
            ) r) as phones,
            (select r from (select array(select r from (
              select s.name, s.hours_text as "hoursText",
                (select r from (select array(select r from (
                  select c.code, c.label_en as label
                  from service_categories sc join categories c on c.code = sc.category_code
                  where sc.service_id = s.id order by c.label_en, c.code limit 5
                ) r) as nodes) r) as categories
              from services s where s.provider_id = p.id order by s.name, s.id limit 3
            ) r) as nodes) r) as services
          from providers p where p.county_fips = n.fips order by p.name, p.id limit 20
        ) r) as nodes) r) as providers
        from counties n where n.fips = i.county_fips
      ) r) as county
    from institutions i where i.code = $1
  ) r) as institution
) r
