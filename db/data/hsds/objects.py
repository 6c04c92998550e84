"""What the directory has for each object of HSDS 3, as one select each.

The columns are those of HSDS, in its order.
"""

from __future__ import annotations

from collections.abc import Mapping

from db.data.exchange.standard import FILES
from db.data.hsds.prisons import PRISONS
from db.data.hsds.programs import PROGRAMS
from db.data.hsds.providers import PROVIDERS
from db.data.hsds.terms import TERMS


def _together(*parts: Mapping[str, str]) -> Mapping[str, str]:
    return {
        name: " union all ".join(part[name] for part in parts if name in part)
        for name in FILES
        if any(name in part for part in parts)
    }


# What feeds may not change: they have no tables of providers.
INSIDE = _together(PRISONS, PROGRAMS)

OBJECTS = _together(PROVIDERS, INSIDE, TERMS)

# Of what feeds may change, the rows that have an id of their own.
BY_ID: Mapping[str, str] = {
    **{
        name: PROVIDERS[name]
        for name in ("organization", "service", "location", "service_at_location", "phone")
    },
    **{name: PROVIDERS[name] for name in ("service_area", "cost_option", "required_document")},
    "schedule": PROVIDERS["schedule"].partition("union all")[0],
}
