-- first road
-- $1 = 'san que'
-- $2 = None
-- $3 = 8
-- $4 = 'sober l'
-- $5 = 3
-- $6 = 'vivi'
-- $7 = 'ES'
-- $8 = 2
-- $9 = 'califonia mens col'
select row_to_json(r)
from (
  select array(select r from (
      select t0.text as "text",
        t0.text_html as "textHtml",
        t0.type as "type",
        t0.node_id as "nodeId"
      from suggest($1::text, $2::text, $3::int4) t0
      order by t0.score desc, t0.text
      limit 100
    ) r) as "name",
    array(select r from (
      select t1.text as "text",
        t1.type as "type",
        t1.node_id as "nodeId"
      from suggest($4::text, $2::text, $5::int4) t1
      order by t1.score desc, t1.text
      limit 100
    ) r) as "need",
    array(select r from (
      select t2.text as "text",
        t2.type as "type",
        t2.node_id as "nodeId"
      from suggest($6::text, $7::text, $8::int4) t2
      order by t2.score desc, t2.text
      limit 100
    ) r) as "inSpanish",
    array(select r from (
      select t3.text as "text",
        t3.score as "score"
      from suggest($9::text, $2::text, $8::int4) t3
      order by t3.score desc, t3.text
      limit 100
    ) r) as "misspelt"
) r;
