-- What time it is. Every rule that looks at the clock asks here, so that a test can stop it.

create function clock() returns timestamptz
    language sql stable parallel safe
    return coalesce(nullif(current_setting('directory.clock', true), '')::timestamptz, now());
comment on function clock() is
    'The present moment; or the one in the setting directory.clock, by which tests stop the clock. No request can set it.';
