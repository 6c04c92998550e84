"""The types that the questions need, whose fields ask the loaders."""

from __future__ import annotations

import base64
import enum
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
import strawberry
from strawberry.types import Info as StrawberryInfo

from tests.benchmarks.servers.loaders.loading import Loaders, Row

Node = TypeVar("Node")
Info = StrawberryInfo[Loaders, None]
Load = Callable[[], Awaitable[Any]]


@strawberry.enum
class VisitType(enum.Enum):
    IN_PERSON = "IN_PERSON"


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Connection(Generic[Node]):
    load: strawberry.Private[Load]
    count: strawberry.Private[Load | None] = None

    @strawberry.field
    async def nodes(self) -> list[Node]:
        found: list[Node] = await self.load()
        return found

    @strawberry.field
    async def total_count(self) -> int:
        assert self.count is not None
        counted: int = await self.count()
        return counted


@strawberry.type
class Phone:
    number: str
    kind: str
    purpose: str | None


@strawberry.type
class Location:
    street: str | None
    city: str | None
    zip: str | None
    latitude: float | None
    longitude: float | None


@strawberry.type
class Label:
    code: str
    label: str


@strawberry.type
class Service:
    id: strawberry.Private[UUID]
    name: str
    hours_text: str | None

    @strawberry.field
    def categories(self, info: Info, first: int) -> Connection[Label]:
        return Connection(load=lambda: info.context.many("categories", self.id, first))


@strawberry.federation.type(keys=["slug"])
class Provider:
    id: strawberry.Private[UUID]
    location_id: strawberry.Private[UUID | None]
    county_fips: strawberry.Private[str | None]
    slug: str
    name: str
    website: str | None
    org_type: str | None

    @classmethod
    def is_type_of(cls, found: object, info: Info) -> bool:
        return isinstance(found, Row | Provider)

    @classmethod
    async def resolve_reference(cls, slug: str, info: Info) -> Provider | None:
        found: Provider | None = await info.context.one("provider_by_slug", slug)
        return found

    @strawberry.field
    async def location(self, info: Info) -> Location | None:
        found: Location | None = await info.context.one("location", self.location_id)
        return found

    @strawberry.field
    async def county(self, info: Info) -> County | None:
        found: County | None = await info.context.one("county", self.county_fips)
        return found

    @strawberry.field
    async def phones(self, info: Info) -> list[Phone]:
        found: list[Phone] = await info.context.many("provider_phones", self.id)
        return found

    @strawberry.field
    def services(self, info: Info, first: int) -> Connection[Service]:
        return Connection(load=lambda: info.context.many("services", self.id, first))


@strawberry.type
class County:
    fips: strawberry.Private[str]
    name: str

    @strawberry.field
    def providers(self, info: Info, first: int) -> Connection[Provider]:
        return Connection(load=lambda: info.context.many("county_providers", self.fips, first))


@strawberry.type
class VisitingStatus:
    status: str
    exceptions: str | None
    affected_yards: list[str]
    last_updated: datetime


@strawberry.type
class VisitorCenter:
    id: strawberry.Private[UUID]
    operator_id: strawberry.Private[UUID | None]
    name: str
    status: str
    alert: str | None
    van_notice_days: int | None

    @strawberry.field
    async def operator(self, info: Info) -> Provider | None:
        found: Provider | None = await info.context.one("provider", self.operator_id)
        return found

    @strawberry.field
    async def phones(self, info: Info) -> list[Phone]:
        found: list[Phone] = await info.context.many("center_phones", self.id)
        return found

    @strawberry.field
    async def amenities(self, info: Info) -> list[Label]:
        found: list[Label] = await info.context.many("amenities", self.id)
        return found


@strawberry.type
class Program:
    name: str
    summary: str | None


@strawberry.type
class PopulationCount:
    month: date
    in_custody: int


@strawberry.type
class Institution:
    id: strawberry.Private[UUID]
    location_id: strawberry.Private[UUID | None]
    county_fips: strawberry.Private[str | None]
    code: str
    name: str
    status: str
    website: str | None

    @strawberry.field
    async def phones(self, info: Info) -> list[Phone]:
        found: list[Phone] = await info.context.many("institution_phones", self.id)
        return found

    @strawberry.field
    async def location(self, info: Info) -> Location | None:
        found: Location | None = await info.context.one("location", self.location_id)
        return found

    @strawberry.field
    async def county(self, info: Info) -> County | None:
        found: County | None = await info.context.one("county", self.county_fips)
        return found

    @strawberry.field
    async def visiting_status(self, info: Info, type: VisitType) -> VisitingStatus | None:
        found: VisitingStatus | None = await info.context.one("visiting_status", self.id)
        return found

    @strawberry.field
    def visitor_centers(self, info: Info, first: int = 20) -> Connection[VisitorCenter]:
        return Connection(
            load=lambda: info.context.many("centers", self.id, first),
            count=lambda: info.context.count("centers", self.id),
        )

    @strawberry.field
    def programs(self, info: Info, first: int) -> Connection[Program]:
        return Connection(
            load=lambda: info.context.many("programs", self.id, first),
            count=lambda: info.context.count("programs", self.id),
        )

    @strawberry.field
    def population_counts(self, info: Info, first: int) -> Connection[PopulationCount]:
        return Connection(load=lambda: info.context.many("population", self.id, first))


@strawberry.input
class CodeEquals:
    eq: str


@strawberry.input
class CategoryFilter:
    code: CodeEquals


@strawberry.input
class SomeCategory:
    some: CategoryFilter


@strawberry.input
class ServiceFilter:
    categories: SomeCategory


@strawberry.input
class SomeService:
    some: ServiceFilter


@strawberry.input
class ProviderFilter:
    county_fips: CodeEquals
    services: SomeService


@strawberry.type
class ProviderPage:
    nodes: list[Provider]
    page_info: PageInfo


_PAGE = """
    select p.* from providers p
    where (p.name, p.id) > ($1, $2) order by p.name, p.id limit $3
"""

_FILTERED_PAGE = """
    select p.* from providers p
    where (p.name, p.id) > ($1, $2) and p.county_fips = $4
      and exists (
        select from services s join service_categories c on c.service_id = s.id
        where s.provider_id = p.id and c.category_code = $5
      )
    order by p.name, p.id limit $3
"""


@strawberry.type
class Query:
    @strawberry.field
    async def institution(self, info: Info, code: str) -> Institution | None:
        found: Institution | None = await info.context.pool.fetchrow(
            "select * from institutions where code = $1", code
        )
        return found

    @strawberry.field
    def institutions(self, info: Info, first: int) -> Connection[Institution]:
        pool = info.context.pool
        return Connection(
            load=lambda: pool.fetch("select * from institutions order by name, id limit $1", first),
            count=lambda: pool.fetchval("select count(*) from institutions"),
        )

    @strawberry.field
    async def provider(self, info: Info, slug: str) -> Provider | None:
        found: Provider | None = await info.context.pool.fetchrow(
            "select * from providers where slug = $1", slug
        )
        return found

    @strawberry.field
    async def providers(
        self,
        info: Info,
        first: int,
        after: str | None = None,
        filter: ProviderFilter | None = None,
    ) -> ProviderPage:
        name, key = orjson.loads(base64.b64decode(after)) if after else ("", UUID(int=0))
        pool = info.context.pool
        if filter is None:
            found = await pool.fetch(_PAGE, name, key, first + 1)
        else:
            category = filter.services.some.categories.some.code.eq
            county = filter.county_fips.eq
            found = await pool.fetch(_FILTERED_PAGE, name, key, first + 1, county, category)
        nodes = found[:first]
        last = orjson.dumps([nodes[-1].name, str(nodes[-1].id)]) if nodes else None
        cursor = base64.b64encode(last).decode() if last else None
        page_info = PageInfo(has_next_page=len(found) > first, end_cursor=cursor)
        return ProviderPage(nodes=nodes, page_info=page_info)
