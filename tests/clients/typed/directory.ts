// GraphQL Code Generator's client preset: what is asked decides the types of what is answered.

import { Client, cacheExchange, fetchExchange, type OperationResult } from '@urql/core';

import { Mobile } from './mobile.js';
import { graphql } from './made/gql.js';
import type { DirectoryCountiesQuery } from './made/graphql.js';

const work = JSON.parse(process.argv[2] ?? '');
const client = new Client({
  url: work.url,
  exchanges: [cacheExchange, fetchExchange],
  preferGetMethod: false,
});

const Counties = graphql(`
  query DirectoryCounties($first: Int!, $after: String) {
    counties(first: $first, after: $after) {
      edges {
        node {
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const Node = graphql(`
  query DirectoryNode($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on County {
        name
      }
    }
  }
`);

function data<Data>(result: OperationResult<Data>): Data {
  if (result.error || !result.data) throw result.error ?? new Error('no data');
  return result.data;
}

const mobile = data(await client.query(Mobile, { code: 'CAL', on: '2026-07-05' }));

// Each of these lines is wrong unless the types are those of the schema.
const name: string | undefined = mobile.institution?.name;
const centers = mobile.institution?.visitorCenters.nodes ?? [];
const days: (number | null | undefined)[] = centers.map((center) => center.vanNoticeDays);
const codes: string[] = centers.flatMap((center) => center.amenities.map((each) => each.code));

type County = NonNullable<DirectoryCountiesQuery['counties']>['edges'][number]['node'];
const counties: County[] = [];
let after: string | null | undefined;
do {
  const page: DirectoryCountiesQuery = data(await client.query(Counties, { first: 20, after }));
  if (!page.counties) throw new Error('no counties');
  counties.push(...page.counties.edges.map((edge) => edge.node));
  after = page.counties.pageInfo.hasNextPage ? page.counties.pageInfo.endCursor : null;
} while (after);

const { node } = data(await client.query(Node, { id: work.node.variables.id }));
if (node?.__typename !== 'County') throw new Error('it is a county');
const county: string = node.name;

console.log(
  JSON.stringify({
    mobile,
    name,
    days,
    codes,
    pages: counties.map((each) => each.name),
    node,
    county,
  }),
);
