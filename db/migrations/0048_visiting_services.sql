-- Visiting as HSDS has it: one service for each type of visit at an institution. It has no record here.

create function hsds_visiting_id(institution uuid, visit_type text) returns uuid
    language sql immutable parallel safe
    -- Version 3 of RFC 9562, whose digits are those of MD5 but for two.
    return overlay(overlay(md5('visiting:' || institution::text || coalesce(visit_type, ''))
                           placing '3' from 13) placing '8' from 17)::uuid;
comment on function hsds_visiting_id is
    'The id of the service that a type of visit is in HSDS, the same each time; null is every type.';

-- An export asks of each service what is inside of it: among a million others, too.
create index on schedules (hsds_visiting_id(institution_id, visit_type)) where institution_id is not null;
create index on visiting_statuses (hsds_visiting_id(institution_id, visit_type));
