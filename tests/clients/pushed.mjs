// What is told as it happens, to each client in its own way, until it has heard of two changes.

import { ApolloClient, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client as Urql, fetchExchange } from '@urql/core';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs } from 'graphql-ws';
import relay from 'relay-runtime';
import WebSocket from 'ws';

import { plain, tell, work } from './work.mjs';
import changedSubscription from './relay/made/DirectoryChangedSubscription.graphql.js';

const { url, changed } = work;
const { Environment, Network, Observable, RecordSource, Store, requestSubscription } = relay;

function overSockets() {
  const at = url.replace(/^http/, 'ws');
  return createWs({ url: at, webSocketImpl: WebSocket, retryAttempts: 0, lazy: true });
}

// The first two events of whatever begins to listen when it is given where to tell them.
function two(listen) {
  return new Promise((resolve, reject) => {
    const heard = [];
    const stop = listen({
      next(event) {
        heard.push(plain(event));
        if (heard.length === 2) {
          resolve(heard);
          setTimeout(() => stop(), 0);
        }
      },
      error: reject,
      complete() {
        reject(new Error(`it ended after ${heard.length}`));
      },
    });
  });
}

const data = (sink) => ({ ...sink, next: (result) => sink.next(result.data) });

function graphqlWs(sink) {
  return overSockets().subscribe(changed, data(sink));
}

function graphqlSse(sink) {
  return createSse({ url, fetchFn: fetch, retryAttempts: 0 }).subscribe(changed, data(sink));
}

function apollo(sink) {
  const link = new GraphQLWsLink(overSockets());
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const query = gql(changed.query);
  const listening = client
    .subscribe({ query, variables: changed.variables, fetchPolicy: 'no-cache' })
    .subscribe(data(sink));
  return () => listening.unsubscribe();
}

// Over server-sent events, which it asks for by the same header as for everything else.
function urql(sink) {
  const client = new Urql({ url, exchanges: [fetchExchange], fetchSubscriptions: true });
  const listening = client.subscription(changed.query, changed.variables).subscribe((result) => {
    if (result.error) sink.error(result.error);
    else if (result.data) sink.next(result.data);
  });
  return () => listening.unsubscribe();
}

function relayed(sink) {
  const client = createSse({ url, fetchFn: fetch, retryAttempts: 0 });
  // By its hash, as Relay's compiler left it.
  const subscribe = ({ id }, variables) =>
    Observable.create((events) =>
      client.subscribe({ query: undefined, documentId: id, variables }, events),
    );
  const environment = new Environment({
    network: Network.create(() => Promise.reject(new Error('nothing is asked')), subscribe),
    store: new Store(new RecordSource()),
  });
  const { dispose } = requestSubscription(environment, {
    subscription: changedSubscription,
    variables: changed.variables,
    onNext: sink.next,
    onError: sink.error,
  });
  return dispose;
}

const clients = { graphqlWs, graphqlSse, apollo, urql, relay: relayed };
const heard = await Promise.all(Object.values(clients).map(two));
tell(Object.fromEntries(Object.keys(clients).map((name, at) => [name, heard[at]])));
process.exit(0);
