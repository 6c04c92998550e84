"""GraphQL over HTTP, by the checks that the specification's reference implementation brings.

They are `serverAudits` of the npm package graphql-http, asked of the real server. Each is a test of
its own here; their list is kept in `clients/audits.json`, so that none gets lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.node import SOURCES, Clients
from tests.serving import Serving

AUDITS: Mapping[str, str] = json.loads((SOURCES / "audits.json").read_text())

Results = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def results(libraries: Clients, served: Serving) -> Results:
    found: Results = libraries.run("audit.mjs", f"{served.url}/graphql")
    return found


def test_these_are_all_the_checks_that_there_are(results: Results) -> None:
    assert {id_: result["name"] for id_, result in results.items()} == AUDITS
    assert len(AUDITS) == 61


@pytest.mark.parametrize("audit", AUDITS, ids=[f"{id_} {name}" for id_, name in AUDITS.items()])
def test_a_check_of_the_specification_is_passed(results: Results, audit: str) -> None:
    result = results[audit]
    assert (result["status"], result["reason"]) == ("ok", None)
