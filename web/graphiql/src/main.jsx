// GraphiQL with the explorer, opening with one example for each kind of person who asks.
import "./workers.js";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { examples, examplesPlugin } from "./examples.jsx";
import { createFetcher } from "./fetcher.js";
import { SchemaOfTheirs } from "./schema.jsx";

const url = new URL(location.href);
const asked = url.searchParams.has("query") && {
  query: url.searchParams.get("query"),
  variables: url.searchParams.get("variables") ?? "",
};
const fetcher = createFetcher(url.origin + url.pathname);

// The first example of each audience; what somebody had open before comes back instead.
const opening = ["Family", "Partner", "Staff"]
  .map((audience) => examples.find((example) => example.audience === audience))
  .filter(Boolean);
const tabs = asked ? [asked] : opening.map(({ query, variables }) => ({ query, variables }));
// What the first tab shows; without it, GraphiQL shows what was in the editors the last time.
const first = asked || (localStorage.getItem("graphiql:tabState") === null && tabs[0]) || {};

const explorer = explorerPlugin({ showAttribution: false });
const plugins = [examplesPlugin, explorer, HISTORY_PLUGIN];
const wide = matchMedia("(min-width: 1000px)").matches;

function Name() {
  return (
    <a className="name" href="/schema.graphql" title="The schema as text">
      Community Resources <em>Directory</em>
    </a>
  );
}

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={plugins}
    visiblePlugin={wide ? explorer : undefined}
    defaultTabs={tabs}
    initialQuery={first.query}
    initialVariables={first.variables}
    defaultEditorToolsVisibility="variables"
    inputValueDeprecation
    schemaDescription
    shouldPersistHeaders={false}
  >
    <GraphiQL.Logo>
      <Name />
      <SchemaOfTheirs />
    </GraphiQL.Logo>
  </GraphiQL>,
);
