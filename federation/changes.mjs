// How a schema differs from an older one, as clients feel it.
//
//     node changes.mjs < {"old": sdl, "new": sdl}
//
// The answer is a list of {level, path, message}, of which the level is BREAKING, DANGEROUS or
// NON_BREAKING.

import { text } from 'node:stream/consumers';
import { diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const { old: before, new: after } = JSON.parse(await text(process.stdin));
const changes = await diff(buildSchema(before), buildSchema(after));
process.stdout.write(
  JSON.stringify(
    changes.map(({ criticality, path, message }) => ({ level: criticality.level, path, message })),
  ),
);
