// Subgraphs become a supergraph, by the composer of one house or another.
//
//     node compose.mjs < jobs.json
//
// A job is {composer: "guild" | "apollo" | "cosmo", subgraphs: [{name, url, sdl}], without: [tag]};
// the answer to each is {supergraph, schema, errors, hints}, in which `schema` is what clients see.

import { text } from 'node:stream/consumers';
import * as apollo from '@apollo/composition';
import { ROUTER_SUPPORTED_SUPERGRAPH_FEATURES, Supergraph } from '@apollo/federation-internals';
import * as guild from '@theguild/federation-composition';
import * as cosmo from '@wundergraph/composition';
import { parse, print, printSchema } from 'graphql';

// WunderGraph's composer, of Cosmo, makes a configuration of its own kind; here its graph will do.
function cosmoServices(services) {
  const subgraphs = services.map(({ typeDefs, ...each }) => ({ ...each, definitions: typeDefs }));
  const version = cosmo.ROUTER_COMPATIBILITY_VERSION_ONE;
  const made = cosmo.federateSubgraphs({ subgraphs, version });
  return made.success
    ? { supergraphSdl: printSchema(made.federatedGraphClientSchema) }
    : { errors: made.errors };
}

const houses = {
  guild: {
    composeServices: guild.composeServices,
    seen: (supergraph) => print(guild.transformSupergraphToPublicSchema(parse(supergraph))),
  },
  cosmo: { composeServices: cosmoServices, seen: (supergraph) => supergraph },
  apollo: {
    composeServices: apollo.composeServices,
    seen(supergraph) {
      // Apollo Router knows some that Apollo's gateway does not: @cacheTag, for example.
      const supportedFeatures = ROUTER_SUPPORTED_SUPERGRAPH_FEATURES;
      const schema = Supergraph.build(supergraph, { supportedFeatures }).apiSchema();
      return printSchema(schema.toGraphQLJSSchema());
    },
  },
};

function compose({ composer, subgraphs, without }) {
  const { composeServices, seen } = houses[composer];
  let services = subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));
  if (without.length > 0) {
    // A contract: what has one of these tags is there for routers, and not for clients.
    const filter = { include: new Set(), exclude: new Set(without) };
    services = guild.applyTagFilterOnSubgraphs(services, filter);
  }
  const { supergraphSdl, errors = [], hints = [] } = composeServices(services);
  return {
    supergraph: supergraphSdl ?? null,
    schema: supergraphSdl ? seen(supergraphSdl) : null,
    errors: errors.map((error) => error.message),
    hints: hints.map((hint) => `${hint.definition.code}: ${hint.message}`),
  };
}

process.stdout.write(JSON.stringify(JSON.parse(await text(process.stdin)).map(compose)));
