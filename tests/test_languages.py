"""In which language an answer is, and how it says so: by argument, by request, by falling back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from db.database import Database
from resolvers.graph import Graph
from resolvers.parse import coerce, parse
from resolvers.plan.plan import Plan, plan
from resolvers.resolve import GraphQLRequest, explain
from schema.build import build
from schema.entity import (
    ID,
    Connection,
    DeclarationError,
    Language,
    argument,
    column,
    derived,
    entity,
    every,
    given,
    localized,
    one,
)
from tests.db.scratch import connected, scratch
from tests.roads import both_roads, codes_of

SQL = """
create table stones (
    id uuid primary key, code text not null unique, label_en text not null, label_es text,
    note text, hint text not null
);
create table translations (
    stone_id uuid references stones, field text, language text, original text, text text,
    method text, reviewed_at timestamptz
);
insert into stones values
    ('00000000-0000-0000-0000-000000000001', 'A', 'agate', 'zócalo', 'Banded.', 'Look.'),
    ('00000000-0000-0000-0000-000000000002', 'F', 'flint', null, 'Sharp.', 'Strike.'),
    ('00000000-0000-0000-0000-000000000003', 'S', 'slate', null, null, 'Write.');
insert into translations
select id, field, language, t.original, t.text, method, reviewed_at from stones join (values
    ('A', 'note', 'ES', 'Banded.', 'Con bandas.', 'HUMAN', timestamptz '2026-01-02 03:04:05+00'),
    ('A', 'label', 'ES', 'agate', 'otro zócalo', 'MACHINE', null),
    ('F', 'label', 'ES', 'flint', 'pedernal', 'MACHINE', null),
    ('F', 'note', 'ES', 'Blunt.', 'Romo.', 'MACHINE', null),
    ('F', 'hint', 'ES', 'Strike.', 'Golpee.', 'MACHINE', null)
) t(code, field, language, original, text, method, reviewed_at) using (code);
create function greeting(name text, lang text) returns text language sql immutable
    return case lang when 'ES' then 'hola, ' else 'hello, ' end || name;
create function asked(lang text) returns text language sql immutable return lang;
create function checked(other integer, lang text) returns text language sql immutable return lang;
create function wished(language text) returns text language sql immutable return language;
create function reversed(name text, lang text) returns text language sql immutable
    return case lang when 'ES' then reverse(name) else name end;
"""


@entity("stones", order=("label_en",), translated="stone_id")
class Stone:
    """A stone."""

    id: ID
    code: str = column(unique=True)
    """Its code."""
    label: str = localized(en="label_en", es="label_es", search=True)
    """What to call it."""
    note: str | None = localized()
    """What else is known of it."""
    hint: str = localized()
    """What to do with it."""
    greeting: str = derived("greeting", "label_en", lang=argument(Language | None, "How."))
    """What to say to it."""
    reversed: str = derived("reversed", "label_en", lang=argument(Language | None, "How."))
    """What to call it from the other side."""


@given()
class Wish:
    """What somebody wants."""

    language: Language | None
    """Spoken by whom."""


def _not_spanish(lang: Language | None, other: int | None) -> None:
    if lang is Language.ES and other == 1:
        raise ValueError("`other` is not 1 in Spanish.")


class Query:
    """Where questions start."""

    stone: Stone | None = one("code")
    """A stone by its code."""
    stones: Connection[Stone] = every()
    """Stones."""
    asked: str | None = derived("asked", lang=argument(Language | None, "How."))
    """The language that was asked for."""
    required: str | None = derived("asked", lang=argument(Language, "How."))
    """The language that has to be asked for."""
    wished: str | None = derived("wished", by=argument(Wish, "By whom."))
    """The language that somebody speaks."""
    checked: str | None = derived(
        "checked",
        other=argument(int | None, "Another."),
        lang=argument(Language | None, "How."),
        check=_not_spanish,
    )
    """Something that is not there in Spanish."""


def _graph(*classes: type) -> Graph:
    types = ModuleType("types")
    for cls in classes:
        setattr(types, cls.__name__, cls)
    return build(types=types, menu=Query)


GRAPH = _graph(Stone)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def quarry() -> AsyncIterator[Database]:
    async with scratch() as url:
        async with connected(url) as connection:
            await connection.execute(SQL)
        opened = await Database.open(url)
        yield opened
        await opened.close()


async def ask(
    quarry: Database, text: str, language: Language | None = None, /, **variables: Any
) -> tuple[Any, bool]:
    """What both roads answer, and whether it would be something else in another language."""
    answer = await both_roads(quarry, GraphQLRequest(text, None, variables, language), GRAPH)
    return json.loads(answer.body), answer.localized


async def data(
    quarry: Database, text: str, language: Language | None = None, /, **variables: Any
) -> Any:
    response, _ = await ask(quarry, text, language, **variables)
    assert "errors" not in response, response
    return response["data"]


def planned(text: str, language: Language | None, variables: dict[str, object]) -> Plan:
    operation = parse(GRAPH, text)
    return plan(GRAPH, operation, coerce(GRAPH, operation, variables, language))[0]


# The language of a request

EN, ES = Language.EN, Language.ES
LABEL = '{ stone(code: "A") { label } }'
GIVEN = 'query ($lang: Language) { stone(code: "A") { label(lang: $lang) greeting(lang: $lang) } }'


async def test_what_is_asked_for_no_language_is_in_that_of_the_request(quarry: Database) -> None:
    text = '{ stone(code: "A") { label greeting } asked }'
    english = {"stone": {"label": "agate", "greeting": "hello, agate"}, "asked": "EN"}
    assert await data(quarry, text, EN) == english
    assert await data(quarry, text) == {**english, "asked": None}
    spanish = {"stone": {"label": "zócalo", "greeting": "hola, agate"}, "asked": "ES"}
    assert await data(quarry, text, ES) == spanish


async def test_an_argument_wins_over_the_request_and_null_is_none(quarry: Database) -> None:
    written = '{ stone(code: "A") { label(lang: EN) greeting(lang: EN) } }'
    english = {"stone": {"label": "agate", "greeting": "hello, agate"}}
    spanish = {"stone": {"label": "zócalo", "greeting": "hola, agate"}}
    assert await data(quarry, written, ES) == english
    assert await data(quarry, GIVEN, ES, lang="EN") == english
    assert await data(quarry, GIVEN, EN, lang="ES") == spanish
    assert await data(quarry, GIVEN, ES, lang=None) == spanish
    assert await data(quarry, GIVEN, ES) == spanish
    assert await data(quarry, GIVEN, None, lang=None) == english
    assert await data(quarry, '{ stone(code: "A") { label(lang: null) } }', ES) == {
        "stone": {"label": "zócalo"}
    }


async def test_a_language_that_nobody_has_is_refused(quarry: Database) -> None:
    written = LABEL.replace("label", "label(lang: FR)")
    assert codes_of((await ask(quarry, written, ES))[0]) == ["GRAPHQL_VALIDATION_FAILED"]
    assert codes_of((await ask(quarry, GIVEN, ES, lang="fr"))[0]) == ["BAD_VARIABLES"]


async def test_a_language_that_is_required_or_inside_an_object_is_not_the_request_s(
    quarry: Database,
) -> None:
    assert await data(quarry, "{ wished(by: {}) }", ES) == {"wished": None}
    assert await data(quarry, "{ wished(by: {language: EN}) }", ES) == {"wished": "EN"}
    assert await data(quarry, "{ required(lang: EN) }", ES) == {"required": "EN"}
    response, _ = await ask(quarry, "{ required }", ES)
    assert codes_of(response) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_what_is_checked_together_is_checked_in_the_language_of_the_request(
    quarry: Database,
) -> None:
    for language, codes in ((ES, ["BAD_USER_INPUT"]), (EN, []), (None, [])):
        response, _ = await ask(quarry, "{ checked(other: 1) }", language)
        assert codes_of(response) == codes


async def test_answers_of_one_document_do_not_mix(quarry: Database) -> None:
    apart = {language: _graph(Stone) for language in (EN, ES, None)}
    for text in (LABEL, GIVEN, "{ stones(orderBy: [{reversed: ASC}]) { nodes { label note } } }"):
        alone = {}
        for language, graph in apart.items():
            answer = await both_roads(quarry, GraphQLRequest(text, None, None, language), graph)
            alone[language] = json.loads(answer.body)
        assert alone[EN] == alone[None] != alone[ES]
        for language in (EN, ES, EN, None, ES, None):
            assert (await ask(quarry, text, language))[0] == alone[language]


def test_only_what_looks_at_the_language_has_a_plan_of_its_own_for_it() -> None:
    asked: list[tuple[str, dict[str, object]]] = [
        ('{ stone(code: "A") { code } }', {}),
        ('{ stone(code: "A") { label(lang: ES) } }', {}),
        (GIVEN, {"lang": "ES"}),
    ]
    for text, variables in asked:
        assert planned(text, EN, variables) is planned(text, ES, variables)
        assert planned(text, None, variables) is planned(text, ES, variables)
        assert not planned(text, ES, variables).localized
    assert planned(LABEL, EN, {}) is not planned(LABEL, ES, {})
    # A function is told the language as a value, and needs no plan for it.
    assert planned("{ asked }", EN, {}) is planned("{ asked }", ES, {})
    assert planned("{ asked }", EN, {}).localized


LOCALIZED = {
    "a text": (LABEL, True),
    "how it is worded": ('{ stone(code: "A") { labelWording { method } } }', True),
    "a function": ("{ asked }", True),
    "an order": ("{ stones(orderBy: [{label: ASC}]) { nodes { code } } }", True),
    "an order by a function": ("{ stones(orderBy: [{greeting: ASC}]) { nodes { code } } }", True),
    "a filter by a function": (
        '{ stones(filter: {greeting: {eq: "x"}}) { totalCount } }',
        True,
    ),
    "only what is skipped": ('{ stone(code: "A") { label @skip(if: true) code } }', False),
    "a filter of both languages": ('{ stones(filter: {label: {eq: "x"}}) { totalCount } }', False),
    "a text in a language": ('{ stone(code: "A") { label(lang: EN) } }', False),
    "nothing of the kind": ('{ stone(code: "A") { code } }', False),
    "the schema": ("{ __schema { queryType { name } } }", False),
}


@pytest.mark.parametrize(("text", "localized_"), LOCALIZED.values(), ids=LOCALIZED.keys())
async def test_an_answer_knows_whether_it_depends_on_the_language(
    quarry: Database, text: str, localized_: bool
) -> None:
    for language in (EN, ES, None):
        assert (await ask(quarry, text, language))[1] is localized_


async def test_explain_says_in_which_language(quarry: Database) -> None:
    for language, said in ((ES, "-- language ES\n"), (None, "-- language not asked for\n")):
        assert said in await explain(GRAPH, quarry, GraphQLRequest(LABEL, None, None, language))
    text = '{ stone(code: "A") { code } }'
    assert "language" not in await explain(GRAPH, quarry, GraphQLRequest(text, None, None, ES))


# Falling back

WORDED = """query ($code: String!) { stone(code: $code) {
    label labelWording { language isFallback method }
    note noteWording { language isFallback method reviewedAt }
    hint hintWording { isFallback }
} }"""


async def test_a_text_says_which_language_it_is_in_and_how_it_came_into_it(
    quarry: Database,
) -> None:
    ours, theirs = {"language": "EN", "isFallback": False, "method": None}, {"language": "ES"}
    english = (await data(quarry, WORDED, code="A"))["stone"]
    assert english["labelWording"] == ours
    assert english["noteWording"] == {**ours, "reviewedAt": None}
    stone = (await data(quarry, WORDED, ES, code="A"))["stone"]
    assert stone["label"] == "zócalo", "what has a column of its own needs no translation"
    assert stone["labelWording"] == {**theirs, "isFallback": False, "method": None}
    assert stone["note"] == "Con bandas."
    assert stone["noteWording"] == {
        **theirs,
        "isFallback": False,
        "method": "HUMAN",
        "reviewedAt": "2026-01-02T03:04:05+00:00",
    }
    assert (stone["hint"], stone["hintWording"]) == ("Look.", {"isFallback": True})
    stone = (await data(quarry, WORDED, ES, code="F"))["stone"]
    assert stone["label"] == "pedernal"
    assert stone["labelWording"] == {**theirs, "isFallback": False, "method": "MACHINE"}
    assert (stone["hint"], stone["hintWording"]) == ("Golpee.", {"isFallback": False})
    stone = (await data(quarry, WORDED, ES, code="S"))["stone"]
    assert stone["label"] == "slate"
    assert stone["labelWording"] == {"language": "EN", "isFallback": True, "method": None}


async def test_a_translation_of_what_has_changed_is_not_shown(quarry: Database) -> None:
    stone = (await data(quarry, WORDED, ES, code="F"))["stone"]
    assert stone["note"] == "Sharp."
    assert stone["noteWording"] == {
        "language": "EN",
        "isFallback": True,
        "method": None,
        "reviewedAt": None,
    }
    assert await data(quarry, '{ stones(filter: {note: {eq: "Romo."}}) { totalCount } }') == {
        "stones": {"totalCount": 0}
    }


async def test_no_text_has_no_wording(quarry: Database) -> None:
    for language in (EN, ES, None):
        stone = (await data(quarry, WORDED, language, code="S"))["stone"]
        assert (stone["note"], stone["noteWording"]) == (None, None)


# Filters, orders and pages


async def found(quarry: Database, wanted: str, language: Language | None = None) -> list[str]:
    text = f"{{ stones(filter: {wanted}) {{ nodes {{ code }} }} }}"
    nodes = (await data(quarry, text, language))["stones"]["nodes"]
    return [node["code"] for node in nodes]


@pytest.mark.parametrize("language", [EN, ES, None])
async def test_a_filter_looks_in_both_languages_whichever_is_asked_for(
    quarry: Database, language: Language | None
) -> None:
    for wanted, codes in (
        ('{label: {eq: "pedernal"}}', ["F"]),
        ('{label: {eq: "flint"}}', ["F"]),
        ('{label: {in: ["slate", "zócalo"]}}', ["A", "S"]),
        ('{label: {contains: "ZÓC"}}', ["A"]),
        ('{label: {startsWith: "pe"}}', ["F"]),
        ('{not: {label: {contains: "e"}}}', []),
        ('{not: {label: {eq: "pedernal"}}}', ["A", "S"]),
        ("{note: {isNull: true}}", ["S"]),
        ('{note: {isNull: false, eq: "Con bandas."}}', ["A"]),
    ):
        assert await found(quarry, wanted, language) == codes, wanted


async def test_a_filter_by_a_function_is_in_the_language_of_the_request(quarry: Database) -> None:
    assert await found(quarry, '{greeting: {eq: "hola, flint"}}', ES) == ["F"]
    assert await found(quarry, '{greeting: {eq: "hola, flint"}}') == []


async def test_an_order_by_a_text_is_that_of_the_language_it_is_shown_in(quarry: Database) -> None:
    text = "{ stones(orderBy: [{label: DESC}]) { nodes { label } } }"
    shown = [node["label"] for node in (await data(quarry, text, ES))["stones"]["nodes"]]
    assert shown == ["zócalo", "slate", "pedernal"]
    shown = [node["label"] for node in (await data(quarry, text))["stones"]["nodes"]]
    assert shown == ["slate", "flint", "agate"]


PAGED = """query ($after: String) { stones(first: 1, after: $after, orderBy: [{#: ASC}]) {
    nodes { code } pageInfo { endCursor hasNextPage } } }"""


@pytest.mark.parametrize("field", ["label", "note", "greeting", "reversed"])
async def test_pages_go_on_in_their_language_and_in_no_other(quarry: Database, field: str) -> None:
    text = PAGED.replace("#", field)
    for language, other in ((ES, EN), (EN, ES), (None, ES)):
        codes, after, more = [], None, True
        while more:
            page = (await data(quarry, text, language, after=after))["stones"]
            codes += [node["code"] for node in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
            response, _ = await ask(quarry, text, other, after=after)
            assert codes_of(response) == ["BAD_CURSOR"]
        assert sorted(codes) == ["A", "F", "S"]


# Declarations


@entity("stones", order=("code",), large=True, translated="stone_id")
class Large:
    """Many stones."""

    id: ID
    code: str = column(unique=True)
    """Its code."""
    label: str = localized(en="label_en", search=True)
    """What to call it."""


@entity("stones", order=("code",))
class OneLanguage:
    """Stones of one language."""

    id: ID
    code: str = column(unique=True)
    """Its code."""
    label: str = localized(en="label_en")
    """What to call it."""


@entity("stones", order=("code",), translated="stone_id")
class Numbered:
    """Stones with numbers in several languages."""

    id: ID
    code: str = column(unique=True)
    """Its code."""
    label: int = localized(en="label_en")
    """Its number."""


@entity("stones", order=("code",))
class Defaulted:
    """Stones that are always English."""

    id: ID
    code: str = column(unique=True)
    """Its code."""
    greeting: str = derived("greeting", "code", lang=argument(Language | None, "How.", EN))
    """What to say to it."""


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Large, "Large.label is in several languages: no index serves that."),
        (OneLanguage, "OneLanguage.label is in one language only."),
        (Numbered, "Numbered.label is in several languages, so it is a text."),
        (Defaulted, "Defaulted.greeting needs no default: the request has a language."),
    ],
)
def test_a_text_that_cannot_be_in_two_languages_is_told_by_name(cls: type, message: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        _graph(Stone, cls)
    assert str(caught.value) == message
