"""@asOf: a query about what the directory said at a moment of the past."""

from __future__ import annotations

from graphql import (
    DirectiveLocation,
    GraphQLArgument,
    GraphQLDirective,
    GraphQLNonNull,
    GraphQLSchema,
    assert_scalar_type,
)

from resolvers.past import AS_OF


def as_of(schema: GraphQLSchema) -> GraphQLDirective:
    """The directive, for a schema that has moments."""
    return GraphQLDirective(
        AS_OF,
        [DirectiveLocation.QUERY],
        args={
            "time": GraphQLArgument(
                GraphQLNonNull(assert_scalar_type(schema.type_map["DateTime"])),
                description="The moment. What had been changed by then is seen, and nothing later.",
            )
        },
        description=(
            "The answer that this query would have been given at a moment of the past: what records"
            " said, what followed from them, and what was open, fresh or due by the clock of then."
        ),
    )
