// What must not compile: a field that was not asked for, a variable that is no such thing, and a
// null that nobody looked for.

import { Client } from '@urql/core';

import { Mobile } from './mobile.js';

const client = new Client({ url: '', exchanges: [], preferGetMethod: false });
const { data } = await client.query(Mobile, { code: 'CAL', on: 5 });
console.log(data?.institution?.websites);
const status: string = data?.institution?.visitingStatus.status;
console.log(status);
