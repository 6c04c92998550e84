// The checks of the GraphQL-over-HTTP specification, and what became of each.
//
//     node audit.mjs URL

import { serverAudits } from 'graphql-http';

const url = process.argv[2];
const found = {};
for (const { id, name, fn } of serverAudits({ url, fetchFn: fetch })) {
  const { status, reason } = await fn();
  found[id] = { name, status, reason: reason ?? null };
}
console.log(JSON.stringify(found));
