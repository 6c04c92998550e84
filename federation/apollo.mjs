// Apollo's gateway and server over a supergraph.
//
//     node apollo.mjs SUPERGRAPH PORT

import { readFileSync } from 'node:fs';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

const FORWARDED = ['accept-language', 'authorization', 'x-api-key', 'x-request-id'];

const [supergraph, port] = process.argv.slice(2);

class Subgraph extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    // How often subgraphs are asked, for whoever wants to know.
    if (context.asked !== undefined) context.asked += 1;
    // What is answered depends on these, and a router forwards nothing by itself.
    for (const [name, value] of Object.entries(context.forwarded ?? {})) {
      request.http.headers.set(name, value);
    }
  }
}

const server = new ApolloServer({
  gateway: new ApolloGateway({
    supergraphSdl: readFileSync(supergraph, 'utf8'),
    buildService: ({ url }) => new Subgraph({ url }),
  }),
  introspection: true,
  includeStacktraceInErrorResponses: false,
  plugins: [
    {
      async requestDidStart() {
        return {
          async willSendResponse({ contextValue, response }) {
            response.http.headers.set('subgraph-requests', String(contextValue.asked));
          },
        };
      },
    },
  ],
});

await startStandaloneServer(server, {
  listen: { port: Number(port), host: '127.0.0.1' },
  context: async ({ req: { headers } }) => ({
    asked: 0,
    forwarded: Object.fromEntries(
      FORWARDED.filter((name) => name in headers).map((name) => [name, headers[name]]),
    ),
  }),
});
console.log('listening');
