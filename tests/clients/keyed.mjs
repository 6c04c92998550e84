// graphql-ws with something to show: a key, which ends, and tokens, of which there is another one.

import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { work } from './work.mjs';

const { url, history, key, tokens } = work;

// What becomes of somebody who listens; `enough` ends it.
function follow(connectionParams, enough, noticed = () => {}) {
  const seen = { connected: 0, closed: [], heard: [], error: null };
  return new Promise((resolve) => {
    const client = createClient({
      url: url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams,
      retryWait: () => Promise.resolve(),
      on: {
        connected: () => void (seen.connected += 1),
        closed: ({ code }) => void seen.closed.push(code),
      },
    });
    client.subscribe(history, {
      next(event) {
        seen.heard.push([seen.connected, event.data?.entityChanged.node.history.totalCount]);
        noticed();
        if (enough(seen)) {
          resolve(seen);
          client.dispose();
        }
      },
      error({ code, reason }) {
        seen.error = { code, reason };
        resolve(seen);
      },
      complete: () => resolve(seen),
    });
  });
}

const bearer = (shown) => ({ authorization: `Bearer ${shown}` });
let ready;
const listening = new Promise((resolve) => void (ready = resolve));
const keyed = follow(bearer(key), () => false, ready);
const renewed = follow(
  () => Promise.resolve(bearer(tokens.shift())),
  ({ connected }) => connected === 2,
);
await listening;
console.log('listening');
console.log(JSON.stringify({ keyed: await keyed, renewed: await renewed }));
process.exit(0);
