// urql, which says in every request that it would take server-sent events, too; by POST and by GET.

import { Client, cacheExchange, fetchExchange, gql } from '@urql/core';

import { counted, plain, tell, work } from './work.mjs';

const { url, mobile, page, node, wrong } = work;

function client(options) {
  return new Client({ url, fetch: counted, exchanges: [cacheExchange, fetchExchange], ...options });
}

async function data(result) {
  const { data: answer, error } = await result;
  if (error) throw error;
  return answer;
}

async function all(urql) {
  const names = [];
  let after = null;
  do {
    const { counties } = await data(urql.query(gql(page.query), { ...page.variables, after }));
    names.push(...counties.edges.map((edge) => edge.node.name));
    after = counties.pageInfo.hasNextPage ? counties.pageInfo.endCursor : null;
  } while (after);
  return names;
}

async function everything(urql) {
  const asked = [gql(node.query), node.variables];
  await data(urql.query(...asked));
  const { error } = await urql.query(gql(wrong.query), {});
  return {
    mobile: plain(await data(urql.query(gql(mobile.query), mobile.variables))),
    pages: await all(urql),
    node: (await data(urql.query(...asked, { requestPolicy: 'network-only' }))).node,
    refused: error.graphQLErrors.map(({ extensions }) => extensions.code),
  };
}

tell({
  post: await everything(client({ preferGetMethod: false })),
  get: await everything(client({ preferGetMethod: 'force' })),
});
