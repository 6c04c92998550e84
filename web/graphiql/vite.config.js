// One page and its assets, all served by us under /graphiql/ with names that carry their hash.
import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

const ours = (name) => fileURLToPath(new URL(`./src/${name}`, import.meta.url));

// Where a package does something on this page that it should not, and how that is undone. A pattern
// that a newer version no longer has stops the build.
const CHANGES = {
  // The system's fonts are good and cost nothing.
  "/graphiql/dist/style.css": [/@font-face\s*\{[^}]*\}/g, ""],
  // The explorer would scroll to the last argument and take the keyboard as soon as it is there.
  "/graphiql-explorer/dist/Explorer.js": [
    "if (input && activeElement && !(activeElement instanceof HTMLTextAreaElement))",
    "if (input && activeElement instanceof HTMLInputElement)",
  ],
  // The history would keep the key that was in the headers in the browser, for whoever comes next, ...
  "/@graphiql/plugin-history/dist/context.js": ["headers: activeTab.headers ?? void 0,", ""],
  // ... and take away the one that is there.
  "/@graphiql/plugin-history/dist/components.js": [
    'headerEditor == null ? void 0 : headerEditor.setValue(headers ?? "");',
    "",
  ],
  // JSON is formatted by the parser that is here anyway, not by a JavaScript compiler.
  "/@graphiql/react/dist/utility/jsonc.js": [
    /async function formatJSONC[\s\S]*?\n\}\n/,
    `import { formatJSONC } from ${JSON.stringify(ours("jsonc.js"))};\n`,
  ],
};

const changed = {
  name: "changed",
  enforce: "pre",
  transform(code, id) {
    const file = Object.keys(CHANGES).find((end) => id.split("?")[0].endsWith(end));
    if (!file) return undefined;
    const [pattern, replacement] = CHANGES[file];
    const result = code.replace(pattern, replacement);
    if (result === code) this.error(`${file} has nothing that matches ${pattern}`);
    return { code: result, map: null };
  },
};

export default defineConfig({
  base: "/graphiql/",
  plugins: [changed],
  resolve: {
    alias: {
      "prettier/parser-graphql": "prettier/plugins/graphql",
    },
  },
  oxc: { jsx: { runtime: "automatic" } },
  build: {
    outDir: "dist",
    assetsDir: ".",
    license: { fileName: "licenses.md" },
    chunkSizeWarningLimit: 3000, // the editor is that large
    modulePreload: { polyfill: false },
    rolldownOptions: {
      onLog(level, log, report) {
        // "use client" is for servers that render React; nothing is lost with it.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
  worker: { format: "es" },
});
