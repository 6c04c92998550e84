-- first road
-- $1 = 'san que'
-- $2 = 8
-- $3 = 'sober l'
-- $4 = 3
-- $5 = 'vivi'
-- $6 = 'ES'
-- $7 = 2
-- $8 = 'califonia mens col'
select row_to_json(r)
from (
  select array(select r from (
      select t0.text as "text",
        t0.text_html as "textHtml",
        t0.type as "type",
        t0.node_id as "nodeId"
      from suggest($1::text, null::text, $2::int4) t0
      order by t0.score desc, t0.text
      limit 100
    ) r) as "name",
    array(select r from (
      select t1.text as "text",
        t1.type as "type",
        t1.node_id as "nodeId"
      from suggest($3::text, null::text, $4::int4) t1
      order by t1.score desc, t1.text
      limit 100
    ) r) as "need",
    array(select r from (
      select t2.text as "text",
        t2.type as "type",
        t2.node_id as "nodeId"
      from suggest($5::text, $6::text, $7::int4) t2
      order by t2.score desc, t2.text
      limit 100
    ) r) as "inSpanish",
    array(select r from (
      select t3.text as "text",
        t3.score as "score"
      from suggest($8::text, null::text, $7::int4) t3
      order by t3.score desc, t3.text
      limit 100
    ) r) as "misspelt"
) r;
