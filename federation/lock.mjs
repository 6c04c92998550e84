// Takes out of the lock file what names a host: where authors would like to be paid.

import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
for (const each of Object.values(lock.packages)) delete each.funding;
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
