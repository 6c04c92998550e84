"""HTTP in, HTTP out: settings, start-up and the command line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import uvicorn
from starlette.config import Config
from starlette.types import ASGIApp

from db import api_keys, embedded
from db.data.duplicates import refresh
from db.data.exchange.columns import take_table
from db.data.exchange.feeds import take_feed
from db.data.exchange.telling import paced, told_of
from db.data.exchange.waiting import TABLES as WAITING
from db.data.exchange.waiting import take_waiting
from db.data.hsds import Form
from db.data.hsds import export as write_hsds
from db.data.load import load as load_files
from db.data.report import LoadError
from db.data.synthesize import synthesize as make_up
from db.database import Database
from db.documents import replace as trust
from db.errors import DatabaseError
from db.grants import grants as granted
from db.mapping import Sheet
from db.migrate import Migration, pending
from db.migrate import migrate as apply_pending
from db.roles import prepare, role_name
from resolvers.admit import Limits
from resolvers.errors import RequestRefused
from resolvers.graph import Graph
from resolvers.parse import parse
from schema.audiences import Audiences, reaches
from schema.build import build, sdl
from schema.directives import NEWEST
from schema.mutation import edited
from schema.reach import reach_of
from schema.roles import Role
from schema.sheets import sheet
from schema.subgraphs import SUBGRAPHS
from schema.types.api_keys import ApiKeyScope
from web.application import application as joined
from web.discretion import keep_secrets
from web.documents import Served, manifest
from web.errands import Errand
from web.export import ExportBounds
from web.identity import Issuer
from web.origins import Origins
from web.subscriptions import Bounds

Progress = Callable[[str, int, int], None]


class Environment(StrEnum):
    """Whether those who ask are also those who build."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


# A limit's setting and its default; all begin with MAX but the one that is none.
LIMITS = {
    limit.name: (limit.name if limit.name == "default_page" else f"max_{limit.name}", limit.default)
    for limit in fields(Limits)
}


@dataclass(frozen=True)
class Settings:
    """What differs from place to place: `pool_size` is read from POOL_SIZE, and so on.

    The README says what each is for, and a test sees to it that none is forgotten there.
    """

    environment: Environment = Environment.DEVELOPMENT
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    log_level: str = "info"
    database_url: str = ""
    data_directory: Path = field(default_factory=embedded.default_directory)
    pool_size: int = 4
    pool_wait_seconds: float = 2.0
    pool_max_waiting: int = 1000
    statement_timeout_seconds: float = 10.0
    max_body_bytes: int = 100_000
    answer_cache_bytes: int = 64_000_000
    max_subscriptions: int = Bounds.operations
    max_subscriptions_per_socket: int = Bounds.per_socket
    keep_alive_seconds: float = Bounds.keep_alive
    slow_client_seconds: float = Bounds.patience
    max_export_rows: int = ExportBounds.rows
    max_public_export_rows: int = ExportBounds.public_rows
    max_export_seconds: float = ExportBounds.seconds
    max_exports: int = ExportBounds.at_once
    documents: Served = Served.ANY
    subgraphs: str = ""
    federation_version: str = NEWEST
    database_roles: bool = True
    jwt_issuer: str = ""
    jwt_audience: str = "directory"
    jwt_keys_url: str = ""
    cors_origins: Origins = field(default_factory=lambda: Origins(""))
    max_batch: int = 10
    read_timeout_seconds: float = 20.0
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """The settings of this process. A limit on depth is MAX_DEPTH, and so on."""
        config = Config(environ=environ)

        def value(name: str, default: Any) -> Any:
            return config(name.upper(), cast=type(default), default=default)

        found: dict[str, Any] = {}
        for each in fields(cls):
            if each.name == "limits":
                found["limits"] = Limits(**{name: value(*limit) for name, limit in LIMITS.items()})
            elif each.default_factory is not MISSING:
                found[each.name] = value(each.name, each.default_factory())
            else:
                found[each.name] = value(each.name, each.default)
        return cls(**found)

    def audiences(self) -> Audiences:
        """The whole graph, or the subgraphs to serve, as one, for each role."""
        names = self.subgraphs.replace(",", " ").split()
        return Audiences(self.limits, names, self.federation_version)

    def database(self, url: str, role: Role) -> Database:
        """Connections to Postgres that read as this role."""
        return Database(
            url,
            connections=self.pool_size,
            wait=self.pool_wait_seconds,
            waiting=self.pool_max_waiting,
            statement_timeout=self.statement_timeout_seconds,
            role=role_name(role.value) if self.database_roles else None,
        )

    def issuer(self) -> Issuer | None:
        """Whose tokens are trusted, if anybody's are."""
        if not self.jwt_issuer:
            return None
        keys = self.jwt_keys_url or f"{self.jwt_issuer.rstrip('/')}/.well-known/jwks.json"
        return Issuer(self.jwt_issuer, self.jwt_audience, keys)

    def migrate(self, url: str, *, anew: bool = False) -> Sequence[Migration]:
        """Bring the tables up to date, and let Postgres' roles see what those of the graph do.

        What they may see follows from the declarations, too: `anew` grants it although no table is
        new.
        """
        applied = asyncio.run(apply_pending(url))
        if self.database_roles and (applied or anew):
            asyncio.run(prepare(url, reaches(Audiences(self.limits))))
        return applied

    @property
    def development(self) -> bool:
        return self.environment is Environment.DEVELOPMENT

    @property
    def bounds(self) -> Bounds:
        """How much is told at once, and to whom no longer."""
        return Bounds(
            self.max_subscriptions,
            self.max_subscriptions_per_socket,
            self.keep_alive_seconds,
            self.slow_client_seconds,
        )

    @property
    def export_bounds(self) -> ExportBounds:
        """How much may be exported, and how slowly."""
        return ExportBounds(
            self.max_export_rows,
            self.max_public_export_rows,
            self.max_export_seconds,
            self.max_exports,
            self.slow_client_seconds,
        )

    def url(self) -> str:
        """The Postgres to use; without DATABASE_URL our own, which runs as long as we do."""
        return self.database_url or embedded.start(self.data_directory)


def application() -> ASGIApp:
    """The server of one process, as each of uvicorn's workers makes it."""
    settings = Settings.read()
    keep_secrets()
    url = settings.url()
    audiences = settings.audiences()

    def seen(role: Role) -> tuple[Graph, Database]:
        return audiences.graph(role), settings.database(url, role)

    return joined(
        *seen(Role.PUBLIC),
        partial(pending, url),
        seen=seen,
        issuer=settings.issuer(),
        max_body_bytes=settings.max_body_bytes,
        answer_cache_bytes=settings.answer_cache_bytes,
        documents=settings.documents,
        origins=settings.cors_origins,
        max_batch=settings.max_batch,
        read_timeout=settings.read_timeout_seconds,
        bounds=settings.bounds,
        export_bounds=settings.export_bounds,
        errands=[Errand(WAITING, partial(take_waiting, url, _sheet_of(settings.limits)))],
        development=settings.development,
    )


def _sheet_of(limits: Limits) -> Callable[[str], Sheet]:
    """What a table of records of a type is, once somebody asks; whatever this server serves."""
    whole = Audiences(limits)
    return lambda name: sheet(whole.graph(Role.ADMIN), name)


def _checked(settings: Settings, role: Role = Role.ADMIN) -> Graph:
    """The graph that the settings ask for, or what is wrong with them, in a line."""
    try:
        return settings.audiences().graph(role)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


class _Commands(click.Group):
    """Commands whose foreseeable failures are told in a line rather than in a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (DatabaseError, LoadError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """The Community Resources Directory. Without a command: serve."""
    try:
        context.obj = Settings.read()
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if context.invoked_subcommand is None:
        context.invoke(serve)


def _subgraphs(names: tuple[str, ...]) -> Settings:
    """The settings, with these subgraphs, for this process and its workers."""
    if names:
        os.environ["SUBGRAPHS"] = " ".join(names)
    return Settings.read()


_subgraph = click.option(
    "--subgraph",
    "names",
    multiple=True,
    type=click.Choice(list(SUBGRAPHS)),
    help="Only this part of the graph, as a subgraph of Federation; several together are one.",
)


@main.command()
@_subgraph
def serve(names: tuple[str, ...] = ()) -> None:
    """Answer questions. In development, bring tables and data up to date before."""
    settings = _subgraphs(names)
    if settings.subgraphs:
        # A wrong name is told here, and not by every worker.
        _checked(settings)
    # An embedded Postgres runs from here on, so that each worker finds it running.
    url = settings.url()
    if settings.development:
        settings.migrate(url, anew=True)
        with _progress("Loading the directory") as progress:
            asyncio.run(load_files(url, progress=progress))
    click.echo(WELCOME.format(at=f"http://{settings.host}:{settings.port}"))
    uvicorn.run(
        "server:application",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_level=settings.log_level,
        access_log=settings.log_level in ("debug", "trace"),
        http="web.protocol:Protocol",
        lifespan="on",
        ws_max_size=settings.max_body_bytes,
        ws_ping_interval=settings.keep_alive_seconds,
        ws_ping_timeout=settings.keep_alive_seconds,
        proxy_headers=False,  # nobody looks at a client's address, and every request would pay
        server_header=False,
        timeout_graceful_shutdown=2,
    )


@main.command()
@click.option("--plan", is_flag=True, help="Show what is pending, and change nothing.")
@click.pass_obj
def migrate(settings: Settings, plan: bool) -> None:
    """Bring the tables up to date."""
    url = settings.url()
    found = asyncio.run(pending(url)) if plan else settings.migrate(url, anew=True)
    for migration in found:
        click.echo(f"{'pending' if plan else 'applied'} {migration.name}")
    if not found:
        click.echo("The tables are up to date.")


@main.command()
@click.pass_obj
def load(settings: Settings) -> None:
    """Load the real directory. What is there already stays as it is."""
    url = settings.url()
    settings.migrate(url)
    with _progress("Loading the directory") as progress:
        report = asyncio.run(load_files(url, progress=progress))
    click.echo(report)


@main.command()
@click.pass_obj
def duplicates(settings: Settings) -> None:
    """Find records that may be one and the same, and count what waits for a decision."""
    url = settings.url()
    settings.migrate(url)
    click.echo(asyncio.run(refresh(url)))


@main.command()
@click.option("--providers", type=click.IntRange(min=1), default=1_000_000, show_default=True)
@click.pass_obj
def synthesize(settings: Settings, providers: int) -> None:
    """Make up a large directory that resembles the real one, for benchmarks."""
    url = settings.url()
    settings.migrate(url)
    with _progress("Making up providers") as progress:
        asyncio.run(make_up(url, providers=providers, progress=progress))


@main.command()
@_subgraph
@click.option(
    "--role",
    type=click.Choice([role.value.lower() for role in Role]),
    default="admin",
    show_default=True,
    help="As somebody of this role sees it.",
)
def schema(names: tuple[str, ...], role: str) -> None:
    """Print the schema; that of a subgraph with the directives of Federation."""
    click.echo(sdl(_checked(_subgraphs(names), Role(role.upper()))), nl=False)


@main.command()
@_subgraph
@click.option("--role", default="directory", show_default=True, help="Who is to read.")
@click.pass_obj
def grants(settings: Settings, names: tuple[str, ...], role: str) -> None:
    """Print what a role has to be granted to serve these subgraphs, or the whole."""
    served = _checked(_subgraphs(names or tuple(SUBGRAPHS)))
    reach = reach_of(served, names or tuple(SUBGRAPHS))
    url = settings.url()
    settings.migrate(url)
    found = asyncio.run(granted(url, role, reach))
    click.echo("\n".join(found))


@main.group()
def export() -> None:
    """Write the directory into files."""


@export.command("hsds")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--form",
    type=click.Choice([form.value for form in Form]),
    default=Form.JSON.value,
    show_default=True,
    help="Nested JSON, the same with all around each record, or tables with a datapackage.json.",
)
@click.pass_obj
def export_hsds(settings: Settings, folder: Path, form: str) -> None:
    """Write the directory as HSDS 3, as much as the public may know."""
    url = settings.url()
    settings.migrate(url)
    role = role_name(Role.PUBLIC.value) if settings.database_roles else None
    folder.mkdir(parents=True, exist_ok=True)
    with _progress("Writing HSDS") as progress:
        counts = asyncio.run(write_hsds(url, folder, Form(form), role=role, progress=progress))
    for name, count in counts.items():
        click.echo(f"{count:>8} {name}")


@main.group("import")
def take_in() -> None:
    """Take in what others know. Nothing is changed unless all of a file can be read."""


_dry_run = click.option("--dry-run", is_flag=True, help="Do everything, tell it, and undo it.")
_source = click.option("--source", metavar="KEY", help="The source of what is new.")
_errors = click.option(
    "--errors",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was not taken into this file, as CSV.",
)


_dated = click.option(
    "--dated",
    type=click.DateTime(),
    help="How old it is, if it does not say so itself (UTC). What people have changed or checked"
    " since stays as it is.",
)


@take_in.command("hsds")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@_dry_run
@_source
@_dated
@_errors
@click.pass_obj
def import_hsds(
    settings: Settings,
    path: Path,
    dry_run: bool,
    source: str | None,
    dated: datetime | None,
    errors: Path | None,
) -> None:
    """Import HSDS 3: JSON, a JSON object in each line, or tables with a datapackage.json."""
    url = settings.url()
    settings.migrate(url)
    taken = take_feed(
        url, path, source=source, dated=_utc(dated), dry_run=dry_run, told=paced(_err)
    )
    told_of(asyncio.run(taken), errors, click.echo, _err)


@take_in.command("csv")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--type",
    "name",
    type=click.Choice(edited()),
    required=True,
    help="What each row is.",
)
@_dry_run
@_source
@_dated
@_errors
@click.pass_obj
def import_csv(
    settings: Settings,
    path: Path,
    name: str,
    dry_run: bool,
    source: str | None,
    dated: datetime | None,
    errors: Path | None,
) -> None:
    """Import a table whose columns are called as an export of this type calls them."""
    graph = _checked(settings)
    url = settings.url()
    settings.migrate(url)
    taken = take_table(
        url,
        path,
        sheet(graph, name),
        source=source,
        dated=_utc(dated),
        dry_run=dry_run,
        told=paced(_err),
    )
    told_of(asyncio.run(taken), errors, click.echo, _err)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _err(text: str) -> None:
    click.echo(text, err=True)


@main.group()
def documents() -> None:
    """Operations that may be asked by their hash alone."""


@documents.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--only", is_flag=True, help="Forget all others.")
@click.pass_obj
def import_documents(settings: Settings, file: Path, only: bool) -> None:
    """Trust the operations of a manifest, as the tools of Apollo, Relay and others write it."""
    graph = build(settings.limits)
    try:
        found = manifest(file.read_bytes())
        for each in found:
            parse(graph, each.text)
    except ValueError as error:
        raise click.ClickException(f"{file}: {error}.") from error
    except RequestRefused as refused:
        reasons = "; ".join(error.message for error in refused.errors)
        raise click.ClickException(f"{file}: {each.name or each.hash}: {reasons}") from refused
    url = settings.url()
    settings.migrate(url)
    added, gone = asyncio.run(trust(url, found, forget=only))
    click.echo(f"{len(found)} operations are trusted, {added} of them new; {gone} are forgotten.")


@main.group()
def keys() -> None:
    """API keys: who may ask for more than the public."""


@keys.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value.lower() for role in Role]), required=True)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value.lower() for scope in ApiKeyScope]),
    default=("read",),
    show_default=True,
    help="What it may be used for.",
)
@click.option("--provider", help="The slug of the organization that a partner speaks for.")
@click.option("--budget", type=click.IntRange(min=1), help="Requests per minute to one server.")
@click.option("--expires", type=click.DateTime(), help="When it stops working (UTC).")
@click.pass_obj
def create_key(
    settings: Settings,
    name: str,
    role: str,
    scopes: tuple[str, ...],
    provider: str | None,
    budget: int | None,
    expires: datetime | None,
) -> None:
    """Make a key, and show it. Nobody can show it again."""
    url = settings.url()
    settings.migrate(url)
    made = api_keys.create(
        url,
        name,
        role.upper(),
        [scope.upper() for scope in scopes],
        provider=provider,
        budget=budget,
        expires_at=_utc(expires),
    )
    click.echo(asyncio.run(made))


@keys.command("list")
@click.pass_obj
def list_keys(settings: Settings) -> None:
    """Show which keys there are; not the keys themselves, which nobody knows."""
    for id_, name, role, ending, state in asyncio.run(api_keys.known(settings.url())):
        click.echo(f"{id_}  …{ending}  {state:<7}  {role.lower():<7}  {name}")


@keys.command("revoke")
@click.argument("id_", metavar="ID", type=click.UUID)
@click.pass_obj
def revoke_key(settings: Settings, id_: UUID) -> None:
    """Revoke a key on every server, at once and for good."""
    if not asyncio.run(api_keys.revoke(settings.url(), id_)):
        raise click.ClickException("There is no such key, or it was revoked before.")
    click.echo("It opens nothing any more.")


@main.command("clean-data")
@click.pass_obj
def clean_data(settings: Settings) -> None:
    """Drop the embedded Postgres and everything in it."""
    embedded.drop(settings.data_directory)
    click.echo(f"There is nothing left in {settings.data_directory}.")


WELCOME = """
  The Community Resources Directory is at

      {at}/graphql            GraphiQL, with examples, in a browser
      {at}/schema.graphql     everything one may ask

  and answers programs, too:

      curl {at}/graphql -H 'content-type: application/json' \\
           -d '{{"query": "{{ institution(code: \\"SQ\\") {{ name status }} }}"}}'
"""


@contextmanager
def _progress(label: str) -> Iterator[Progress]:
    """A bar on a terminal; in a log only its label."""
    with click.progressbar(length=100, label=label, item_show_func=_shown) as bar:

        def update(doing: str, done: int, of: int) -> None:
            bar.update(100 * done // of - bar.pos, doing)

        yield update


def _shown(doing: str | None) -> str:
    return doing or ""


if __name__ == "__main__":
    main()
