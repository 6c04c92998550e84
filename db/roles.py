"""What a role of ours may see, Postgres knows as well: each has a role there, and reads as that.

Below the schema that somebody sees, and the statements made for it, lies a role that is granted
what this schema is made of. So what a statement should not have asked for is not answered, either.
"""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from db.connection import connected
from db.errors import MigrationError
from db.grants import Catalog, granting
from db.mapping import Reach
from db.render import identifier

# As with migrations: any number that nothing else uses.
_LOCK = 0x67_72_61_6E_74  # "grant"

_MAKE = """
do $$
begin
    create role {role} nologin;
exception
    -- Roles are those of all databases of a server, and another may have made it meanwhile (42710:
    -- there is an object of that name).
    when sqlstate '42710' or unique_violation then null;
end $$
"""


def role_name(word: str) -> str:
    """`PUBLIC` reads as `directory_public`."""
    return f"directory_{word.lower()}"


async def prepare(url: str, reaches: Mapping[str, Reach]) -> None:
    """Make the roles that there are not yet, and grant each what it reads and no more."""
    try:
        async with connected(url) as line, line.transaction():
            await line.execute(f"select pg_advisory_xact_lock({_LOCK})")
            catalog = await Catalog.read(line)
            for word, reach in reaches.items():
                name = role_name(word)
                role = identifier(name)
                known = await line.fetchval(
                    "select pg_has_role(oid, 'member') from pg_roles where rolname = $1", name
                )
                if known is None:
                    await line.execute(_MAKE.format(role=role))
                if not known:
                    await line.execute(f"grant {role} to current_user")
                for schema in ("public", "past") if catalog.past else ("public",):
                    await line.execute(f"revoke all on all tables in schema {schema} from {role}")
                await line.execute(f"revoke all on all functions in schema public from {role}")
                if catalog.past:
                    await line.execute(f"revoke all on schema past from {role}")
                await line.execute("\n".join(granting(catalog, name, reach)))
    except asyncpg.InsufficientPrivilegeError as error:
        roles = ", ".join(map(role_name, reaches))
        raise MigrationError(
            f"The roles {roles} could not be made: {error}. Make them as a superuser, with "
            "`create role NAME nologin; grant NAME to USER`, or set DATABASE_ROLES=false to read "
            "everything as one."
        ) from error
