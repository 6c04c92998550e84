"""The subgraphs compose, by composers of three houses, alone, with neighbors, and by contract."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest
from graphql import GraphQLNamedType, GraphQLSchema, build_schema

from federation.node import Composed, Job, compose, install
from schema.build import sdl
from schema.directives import NEWEST
from schema.federation import subgraph
from schema.subgraphs import SUBGRAPHS
from tests.neighbors import SCHEMAS
from tests.node import or_skipped
from tests.roads import the_graph

# The newest version of Federation that each composer knows.
KNOWN = {"guild": "2.9", "apollo": NEWEST, "cosmo": "2.9"}

FOUR = [(name,) for name in SUBGRAPHS]

Subgraphs = Sequence[Mapping[str, str]]


def told(parts: Sequence[Sequence[str]], version: str) -> Subgraphs:
    """What these servers say, each of one subgraph or of several as one."""
    return [
        named("-and-".join(names), sdl(subgraph(the_graph(), names, version))) for names in parts
    ]


def named(name: str, text: str) -> Mapping[str, str]:
    return {"name": name, "url": f"http://{name}.test/graphql", "sdl": text}


NEIGHBORS = [named(name, schema.as_str()) for name, schema in SCHEMAS.items()]


# A contract is what clients of one kind see: everything but what has these tags.
CONTRACTS = {"public": ("staff", "partner"), "partner": ("staff",)}


# Cosmo's composer filters by tags as well, but on Node 22 only.
CONTRACTORS = ("guild", "apollo")

_STAFF = (
    "Query.duplicateCandidates",
    "Query.imports",
    "Query.importRuns",
    "Query.archivedRecords",
    "ImportRejectionGroupKey.run",
    "Source.imports",
    "Provider.duplicates",
    *(
        f"{name}{page}{end}"
        for name in (
            "ArchivedRecord",
            "DuplicateCandidate",
            "Import",
            "ImportRejection",
            "ImportRun",
        )
        for page in ("", "Connection", "Edge")
        for end in (".", "$")
    ),
)
_PARTNER = (
    "Query.translations",
    "Query.verifications",
    "Query.sources",
    "Query.locations",
    "Query.proposals",
    *(f"Proposal{page}{end}" for page in ("", "Connection", "Edge") for end in (".", "$")),
)

# What a contract does not show, by the beginning of its name; `$` ends one.
HIDDEN = {"public": (*_STAFF, *_PARTNER), "partner": _STAFF}

# What partners may send, and what they may say in it.
PROPOSING = {
    "Mutation",
    "Mutation.proposeProvider",
    "Mutation.withdrawProposal",
    "ProposalPayload",
    "ProposeProviderInput",
    "ProposeProviderInput.services",
    "OwnedServiceUpdate.phones",
    "OwnedPhoneCreation.number",
    "WithdrawProposalInput.id",
    "UserError.message",
}


@pytest.fixture(scope="module")
def composed() -> Mapping[tuple[str, str], Composed]:
    """What each composer makes of each set of subgraphs."""
    with or_skipped("NOTHING WAS COMPOSED"):
        install()
    jobs = {}
    for composer, version in KNOWN.items():
        four = told(FOUR, version)
        three = told([("institutions", "visiting"), ("programs",), ("providers",)], version)
        jobs[composer, "four"] = Job(composer, four)
        jobs[composer, "three"] = Job(composer, three)
        jobs[composer, "neighbors"] = Job(composer, [*four, *NEIGHBORS])
        for contract, tags in CONTRACTS.items() if composer in CONTRACTORS else ():
            jobs[composer, contract] = Job(composer, four, tags)
    return dict(zip(jobs, compose(list(jobs.values())), strict=True))


@pytest.mark.parametrize(
    ("composer", "subgraphs"),
    [(composer, each) for composer in KNOWN for each in ("four", "three", "neighbors")]
    + [(composer, each) for composer in CONTRACTORS for each in CONTRACTS],
)
def test_subgraphs_compose_without_a_complaint(
    composer: str, subgraphs: str, composed: Mapping[tuple[str, str], Composed]
) -> None:
    found = composed[composer, subgraphs]
    assert (found.errors, found.hints) == ([], [])


@pytest.mark.parametrize("composer", KNOWN)
@pytest.mark.parametrize("subgraphs", ["four", "three"])
def test_what_clients_see_of_the_supergraph_is_the_whole(
    composer: str, subgraphs: str, composed: Mapping[tuple[str, str], Composed]
) -> None:
    seen = coordinates(composed[composer, subgraphs].schema)
    assert seen == the_whole()


@pytest.mark.parametrize("composer", CONTRACTORS)
@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_contract_leaves_out_what_has_its_tags_and_nothing_else(
    composer: str, contract: str, composed: Mapping[tuple[str, str], Composed]
) -> None:
    seen = coordinates(composed[composer, contract].schema)
    whole = the_whole()
    # What only those need who change something, by what the whole says without its mutations.
    changing = whole - _coordinates(asked_only())
    hidden = {each for each in whole if f"{each}$".startswith(HIDDEN[contract])}
    assert (whole - seen) - changing == hidden - changing
    assert seen <= whole
    assert len(changing) > 1000
    if contract == "public":
        assert not seen & changing
    else:
        assert seen >= PROPOSING
        assert {each for each in seen if each.startswith("Mutation.")} <= PROPOSING
        told = seen & changing
        # Nothing but what those two lead to: no payload of anything else, no other input of theirs.
        assert {each.split(".")[0] for each in told if "Payload" in each} == {"ProposalPayload"}
        inputs = {each for each in told if re.fullmatch(r"(Create|Update|Archive)\w+Input", each)}
        assert not inputs


@pytest.mark.parametrize("composer", KNOWN)
def test_neighbors_add_their_fields(
    composer: str, composed: Mapping[tuple[str, str], Composed]
) -> None:
    added = coordinates(composed[composer, "neighbors"].schema) - the_whole()
    entities = {f"{name}.visits" for name in the_graph().entities}
    roots = {"Query.mostVisited", "Query.countiesKnown"}
    assert added == {*entities, *roots, "Node.visits", "Institution.letters", "County.number"}


def the_whole() -> set[str]:
    """What all subgraphs together have; test_federation.py says what the whole has besides."""
    own = {"Query._entities", "Query._service", "_Any", "_Entity", "_Service", "_Service.sdl"}
    return _coordinates(subgraph(the_graph(), tuple(SUBGRAPHS)).schema) - own


def asked_only() -> GraphQLSchema:
    """All subgraphs together, as those see them who change nothing."""
    together = subgraph(the_graph(), tuple(SUBGRAPHS)).schema
    return GraphQLSchema(together.query_type, types=[together.type_map["_Entity"]])


def coordinates(schema: str | None) -> set[str]:
    """The types of a schema, and their fields."""
    assert schema is not None
    return _coordinates(build_schema(schema, assume_valid=True))


def _coordinates(schema: GraphQLSchema) -> set[str]:
    types: Mapping[str, GraphQLNamedType] = schema.type_map
    return {
        coordinate
        for name, type_ in types.items()
        if not name.startswith("__")
        for coordinate in (name, *(f"{name}.{field}" for field in getattr(type_, "fields", ())))
    }
