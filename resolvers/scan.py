"""A text is looked over before it is parsed: what is clearly too much costs next to nothing.

A parser works twenty times as long on each token as this does. What is counted here is counted
again in `admit.py`, with fragments unfolded; nothing that passes here is let in yet.
"""

from __future__ import annotations

import re

from resolvers.admit import (
    Limits,
    too_deep,
    too_many_aliases,
    too_many_directives,
    too_many_tokens,
)
from resolvers.errors import Code, refuse

# Every alternative matches as much as it can and gives nothing back: the time is linear.
_TOKEN = re.compile(
    r"""
    (?P<ignored>[\s,\ufeff]++)
    | (?P<other>
        \"{3}(?:[^"\\]++|\\\"{3}|\\|"(?!""))*+(?:\"{3})?+  # a block string, closed or not
        | "(?:[^"\\\r\n]++|\\.)*+"?+                      # a string
        | \#[^\r\n]*+                                     # a comment
        | [A-Za-z_][A-Za-z_0-9]*+                         # a name
        | -?[0-9][0-9.eE+-]*+                             # a number
        | \.\.\.
    )
    | .
    """,
    re.VERBOSE,
)
# Each operation and fragment is validated by itself, for as long as a dozen fields.
_DEFINITIONS = 100


def scan(text: str, limits: Limits) -> None:
    """Refuse a text with too many tokens, levels, aliases, directives or definitions."""
    tokens = aliases = directives = definitions = 0
    # Outside of parentheses a brace opens a selection set and a colon follows an alias; inside
    # of them, both belong to values.
    braces = brackets = 0
    for found in _TOKEN.finditer(text):
        if found.lastgroup == "ignored":
            continue
        tokens += 1
        if tokens > limits.tokens:
            raise too_many_tokens(limits)
        match found[0]:
            case ":" if not brackets:
                aliases += 1
            case "@":
                directives += 1
            case "(":
                brackets += 1
            case "{" | "[" if brackets:
                brackets += 1
            case ")" | "}" | "]" if brackets:
                brackets -= 1
            case "{":
                braces += 1
                definitions += braces == 1
            case "}":
                braces -= 1
        # Fragments open braces, too, but no level of the response.
        if braces > 3 * limits.depth:
            raise too_deep(limits)
        if brackets > 2 * limits.depth:
            raise refuse(Code.TOO_DEEP, "An argument of this document is nested too deeply.")
        if aliases > limits.aliases:
            raise too_many_aliases(limits)
        if directives > limits.directives:
            raise too_many_directives(limits)
        if definitions > _DEFINITIONS:
            message = f"A document may have at most {_DEFINITIONS} operations and fragments."
            raise refuse(Code.TOO_MANY_FIELDS, message)
