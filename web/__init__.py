"""HTTP around the engine: a request's bytes become one call of `resolve`, its bytes the response.

In the order in which a request meets them:

    protocol.py      one connection: how long and how much it may say
    application.py   which path goes where, and what opens and closes with the process
    origins.py       which web pages may read answers
    doorman.py       each role has a face of the directory of its own
    admission.py     who asks, noted in the scope of what they send
    identity.py      ... by an API key or a token
    vigil.py         ... and whether that still holds, while they are told something
    view.py          /graphql: the lean road for JSON over POST and GET
    media_types.py   what the client accepts, what it sends
    request.py       bytes become a GraphQLRequest
    refusals.py      every way HTTP itself says no, each with its code
    subscriptions.py what is told as it happens, whichever way it is sent
    live.py          a live query: asked again when it may be another answer
    message.py       what a stream tells
    sse.py           ... over server-sent events
    sockets.py       ... over WebSockets, by graphql-transport-ws
    farewell.py      who listens is told that the server ends
    hang_up.py       a client that hangs up cancels the work done for it
    export.py        all rows of a connection, written while they are read
    files.py         rows become CSV, NDJSON or GeoJSON
    published.py     the schema, as text and as JSON
    health.py        /healthz and /readyz
    discretion.py    nothing that somebody asked goes into a log
    graphiql.py      the page for people, its assets and its example operations
"""
