// Traces are read as Apollo's own tools read them.
//
//     node trace.mjs < [base64 of a trace, ...]

import { text } from 'node:stream/consumers';
import { Trace } from '@apollo/usage-reporting-protobuf';

const read = (trace) =>
  Trace.toObject(Trace.decode(Buffer.from(trace, 'base64')), { longs: Number });
process.stdout.write(JSON.stringify(JSON.parse(await text(process.stdin)).map(read)));
