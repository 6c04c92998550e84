// Whoever enters a key sees the schema of its role; GraphiQL would wait to be asked for it.
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect } from "react";

// Long enough for a key to be typed, or pasted.
const PAUSE = 500;

function shown(text) {
  try {
    const entries = Object.entries(JSON.parse(text || "{}"));
    const said = entries.map(([name, value]) => [name.toLowerCase(), value]);
    return JSON.stringify(said.filter(([name]) => ["authorization", "x-api-key"].includes(name)));
  } catch {
    return undefined; // it is not written to its end
  }
}

export function SchemaOfTheirs() {
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  const { introspect } = useGraphiQLActions();
  useEffect(() => {
    if (!headerEditor) return undefined;
    let seen = shown(headerEditor.getValue());
    let timer;
    const look = () => {
      const now = shown(headerEditor.getValue());
      if (now === undefined || now === seen) return;
      seen = now;
      introspect();
    };
    const listening = headerEditor.onDidChangeModelContent(() => {
      clearTimeout(timer);
      timer = setTimeout(look, PAUSE);
    });
    return () => {
      clearTimeout(timer);
      listening.dispose();
    };
  }, [headerEditor, introspect]);
  return null;
}
