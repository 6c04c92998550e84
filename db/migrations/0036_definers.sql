-- Some rules look at more than the tables of what they are asked about: whether a prison's visiting
-- is on depends on the prison, whether a center is owed on who lives there. They tell one word of
-- what they read. So they read with their owner's rights, and whoever may ask them, a subgraph's
-- role for example, need not be granted those tables.

alter function visiting_override(uuid, text, text, timestamptz) security definer set search_path = public, pg_temp;
alter function hours_override(uuid, text, text, timestamptz) security definer set search_path = public, pg_temp;
alter function hours_between(uuid, date, date, text, text) security definer set search_path = public, pg_temp;
alter function population_on(uuid, date) security definer set search_path = public, pg_temp;
alter function visitor_center_required(uuid, date) security definer set search_path = public, pg_temp;
alter function next_instant() security definer set search_path = public, pg_temp;
