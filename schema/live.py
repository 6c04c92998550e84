"""@live: a query whose answer is sent again whenever it is another one."""

from __future__ import annotations

from graphql import (
    DirectiveLocation,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDirective,
    GraphQLNonNull,
)

LIVE = GraphQLDirective(
    "live",
    [DirectiveLocation.QUERY],
    args={
        "if": GraphQLArgument(
            GraphQLNonNull(GraphQLBoolean), default_value=True, description="Whether it is live."
        ),
        "patch": GraphQLArgument(
            GraphQLNonNull(GraphQLBoolean),
            default_value=False,
            description=(
                "Whether later answers come as `patch`, a JSON Patch (RFC 6902) of `data`, with a "
                "`revision` that counts; some come whole where that is shorter."
            ),
        ),
    },
    description=(
        "The answer now, and again whenever it is another one, over WebSockets or server-sent "
        "events."
    ),
)
