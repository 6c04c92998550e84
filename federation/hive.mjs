// A router of The Guild's, Hive Gateway with the query planner of Hive Router, over a supergraph.
//
//     node hive.mjs SUPERGRAPH PORT

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

const FORWARDED = ['accept-language', 'authorization', 'x-api-key', 'x-request-id'];

const [supergraph, port] = process.argv.slice(2);

// How often subgraphs are asked, for whoever wants to know.
const asked = new WeakMap();
const counted = {
  onFetch({ context }) {
    if (context?.request) asked.set(context.request, (asked.get(context.request) ?? 0) + 1);
  },
  onResponse({ request, response }) {
    response.headers.set('subgraph-requests', String(asked.get(request) ?? 0));
  },
};

const gateway = createGatewayRuntime({
  supergraph: readFileSync(supergraph, 'utf8'),
  unifiedGraphHandler,
  // What is answered depends on these, and a router forwards nothing by itself.
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) =>
      Object.fromEntries(FORWARDED.map((name) => [name, request.headers.get(name) ?? undefined])),
  },
  graphiql: { title: 'Community Resources Directory, federated' },
  renderGraphiQL, // from here, and not from a public server
  // Errors of subgraphs are made for clients.
  maskedErrors: false,
  logging: 'warn',
  plugins: () => [counted],
});

const server = createServer(gateway);
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));

process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  gateway[Symbol.asyncDispose]().then(() => process.exit());
});
