-- first road
-- $1 = datetime.date(2023, 12, 31)
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.key as "key",
            t0.value as "value",
            t0.valid_from as "validFrom",
            (select r from (
              select source_url(t0.source_id) as "sourceUrl"
            ) r) as "provenance"
          from visiting_facts t0
          where t0.valid_from <= $1::date
          order by t0.key
          limit 20
        ) r) as "nodes"
    ) r) as "visitingFacts"
) r;
