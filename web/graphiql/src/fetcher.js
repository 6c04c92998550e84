// How the page asks: over HTTP, or over a socket for what is told as it happens. No page can set the
// headers of a socket, so those of the editor are what it says first.
import { createGraphiQLFetcher } from "@graphiql/toolkit";

const FORBIDDEN = 4403;

function isTold(document, name) {
  const operation = document?.definitions.find(
    (each) => each.kind === "OperationDefinition" && (!name || each.name?.value === name),
  );
  return (
    operation?.operation === "subscription" ||
    operation?.directives.some((each) => each.name.value === "live")
  );
}

function readable(problem) {
  if (!(problem instanceof CloseEvent)) return problem;
  return new Error(`The socket was closed (${problem.code}): ${problem.reason || "no reason"}`);
}

async function follow(url, params, headers) {
  const { createClient } = await import("graphql-ws");
  const client = createClient({
    url,
    connectionParams: headers,
    // Whoever is refused reads why, at once; the same key would be refused again.
    shouldRetry: (problem) => problem instanceof CloseEvent && problem.code !== FORBIDDEN,
  });
  const events = client.iterate(params);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        return await events.next();
      } catch (problem) {
        throw readable(problem);
      }
    },
    return: () => events.return(),
  };
}

export function createFetcher(url) {
  const ask = createGraphiQLFetcher({
    url,
    headers: { accept: "application/graphql-response+json" },
  });
  const socket = url.replace(/^http/, "ws");
  return (params, options) =>
    isTold(options?.documentAST, params.operationName)
      ? follow(socket, params, options.headers)
      : ask(params, options);
}
