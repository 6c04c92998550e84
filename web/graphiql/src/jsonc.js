// JSON with comments, formatted by the parser that is here anyway; GraphiQL would load a whole
// JavaScript compiler for it.
import { applyEdits, format } from "jsonc-parser";

export async function formatJSONC(content) {
  return applyEdits(content, format(content, undefined, { tabSize: 2, insertSpaces: true }));
}
