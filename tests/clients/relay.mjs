// Relay: its compiler has made modules of what relay/ asks for, and its runtime keeps a store.

import { Environment, Network, RecordSource, Store, fetchQuery } from 'relay-runtime';
import relay from 'relay-runtime';

import { counted, tell, work } from './work.mjs';
import countiesQuery from './relay/made/DirectoryCountiesQuery.graphql.js';
import pageQuery from './relay/made/DirectoryCountiesPageQuery.graphql.js';
import countiesFragment from './relay/made/Directory_counties.graphql.js';
import countyQuery from './relay/made/DirectoryCountyQuery.graphql.js';
import againQuery from './relay/made/DirectoryCountyAgainQuery.graphql.js';
import countyFragment from './relay/made/Directory_county.graphql.js';
import mobileQuery from './relay/made/MobileQuery.graphql.js';

const { createOperationDescriptor, getRequest, getSingularSelector } = relay;
const { url, mobile, node } = work;

// Every operation was made a trusted document beforehand, so that only its hash travels.
async function fetched({ id, text }, variables) {
  if (text) throw new Error('the text should have stayed at home');
  const response = await counted(url, {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ documentId: id, variables }),
  });
  return response.json();
}

const environment = new Environment({
  network: Network.create(fetched),
  store: new Store(new RecordSource()),
});

async function ask(query, variables) {
  return fetchQuery(environment, query, variables, { fetchPolicy: 'network-only' }).toPromise();
}

// What the store has of a fragment, below what a query answered.
function read(fragment, reference) {
  return environment.lookup(getSingularSelector(fragment, reference)).data;
}

const count = 20;
const root = await ask(countiesQuery, { count });
// Kept as a screen would keep it, so that the store forgets nothing meanwhile.
environment.retain(createOperationDescriptor(getRequest(countiesQuery), { count }));
let { counties } = read(countiesFragment, root);
while (counties.pageInfo.hasNextPage) {
  await ask(pageQuery, { count, cursor: counties.pageInfo.endCursor });
  ({ counties } = read(countiesFragment, root));
}

const { county } = await ask(countyQuery, { fips: node.variables.id.split(':')[1] });
const before = read(countyFragment, county);
const { node: again } = await ask(againQuery, { id: node.variables.id });
const after = read(countyFragment, again);

tell({
  mobile: await ask(mobileQuery, mobile.variables),
  pages: counties.edges.map((edge) => edge.node.name),
  before,
  after,
});
