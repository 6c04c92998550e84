// Apollo Client: plain, in batches, and by persisted queries with GET.

import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import { createHash } from 'node:crypto';

import { counted, plain, requests, tell, work } from './work.mjs';

const { url, mobile, page, node, wrong } = work;

function client(link) {
  const typePolicies = { Query: { fields: { counties: relayStylePagination() } } };
  return new ApolloClient({ link, cache: new InMemoryCache({ typePolicies }) });
}

async function all(apollo) {
  const query = gql(page.query);
  const watched = apollo.watchQuery({ query, variables: page.variables });
  const seen = watched.subscribe(() => {});
  let { data } = await apollo.query({ query, variables: page.variables });
  while (data.counties.pageInfo.hasNextPage) {
    await watched.fetchMore({ variables: { after: data.counties.pageInfo.endCursor } });
    // What the cache has merged of all pages so far.
    data = apollo.readQuery({ query, variables: page.variables });
  }
  seen.unsubscribe();
  return data.counties.edges.map((edge) => edge.node.name);
}

async function refetched(apollo) {
  const query = gql(node.query);
  await apollo.query({ query, variables: node.variables });
  const { data } = await apollo.query({
    query,
    variables: node.variables,
    fetchPolicy: 'network-only',
  });
  return data.node;
}

async function refused(apollo) {
  try {
    await apollo.query({ query: gql(wrong.query) });
  } catch (error) {
    if (!CombinedGraphQLErrors.is(error)) throw error;
    return error.errors.map(({ extensions }) => extensions.code);
  }
  return null;
}

const http = new HttpLink({ uri: url, fetch: counted });
const simple = client(http);
const found = {
  mobile: plain(
    (await simple.query({ query: gql(mobile.query), variables: mobile.variables })).data,
  ),
  pages: await all(simple),
  node: await refetched(simple),
  refused: await refused(simple),
};

const before = requests.length;
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const persisted = client(
  new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(http),
);
const ask = () =>
  persisted.query({
    query: gql(mobile.query),
    variables: mobile.variables,
    fetchPolicy: 'network-only',
  });
const persistedAnswers = [plain((await ask()).data), plain((await ask()).data)];
const byHash = requests.slice(before);

const start = requests.length;
const batching = client(new BatchHttpLink({ uri: url, fetch: counted, batchInterval: 20 }));
const together = await Promise.all([
  batching.query({ query: gql(mobile.query), variables: mobile.variables }),
  batching.query({ query: gql(node.query), variables: node.variables }),
  refused(batching),
]);
const batches = requests.slice(start);

tell({
  ...found,
  persisted: persistedAnswers,
  byHash,
  batched: {
    mobile: plain(together[0].data),
    node: together[1].data.node,
    refused: together[2],
  },
  batches,
});
process.exit(0);
