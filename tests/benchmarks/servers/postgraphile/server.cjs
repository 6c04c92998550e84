// PostGraphile 5 on the directory's tables: node server.cjs DATABASE_URL PORT CONNECTIONS

const { createServer } = require("node:http");
const { PgManyToManyPreset } = require("@graphile-contrib/pg-many-to-many");
const { PgSimplifyInflectionPreset } = require("@graphile/simplify-inflection");
const { postgraphile } = require("postgraphile");
const { makePgService } = require("postgraphile/adaptors/pg");
const { grafserv } = require("postgraphile/grafserv/node");
const { PostGraphileAmberPreset } = require("postgraphile/presets/amber");
const { jsonPgSmartTags } = require("postgraphile/utils");
const { PostGraphileConnectionFilterPreset } = require("postgraphile-plugin-connection-filter");

const [url, port, connections] = process.argv.slice(2);

// A view has no keys that PostGraphile could find by itself.
const keysOfViews = jsonPgSmartTags({
  version: 1,
  config: {
    class: {
      current_visiting_statuses: {
        tags: { foreignKey: "(institution_id) references institutions (id)" },
      },
    },
  },
});

const preset = {
  extends: [
    PostGraphileAmberPreset,
    PgSimplifyInflectionPreset,
    PgManyToManyPreset,
    PostGraphileConnectionFilterPreset,
  ],
  plugins: [keysOfViews],
  // Our indexes of foreign keys are partial where most rows have none. It would ignore those.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  pgServices: [
    makePgService({
      connectionString: url,
      schemas: ["public"],
      // Others wait their turn for longer than a connection may idle by default.
      poolConfig: { max: Number(connections), idleTimeoutMillis: 0 },
    }),
  ],
  schema: { connectionFilterRelations: true, defaultBehavior: "+connection +list" },
  grafserv: { graphiql: false, watch: false },
  grafast: { explain: false },
};

async function serve() {
  const server = createServer();
  await postgraphile(preset).createServ(grafserv).addTo(server);
  server.listen(Number(port), "127.0.0.1");
}

serve();
