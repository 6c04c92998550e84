"""`make federation`: four subgraphs and a router, for a person to try."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import click

from federation.node import Job, NodeError, compose, install, router
from schema.audiences import Audiences
from schema.build import sdl
from schema.federation import subgraph as part
from schema.roles import Role
from schema.subgraphs import SUBGRAPHS

ROOT = Path(__file__).parent.parent

# The newest version of Federation that The Guild's composer knows.
VERSION = "2.9"

WELCOME = """
  The directory as four subgraphs, composed, behind a router. It is at

      http://127.0.0.1:{port}/graphql    the router; GraphiQL in a browser

  and asks each subgraph for its share:
{parts}
  Its answers have a header `subgraph-requests`, which says how often it asked. Ctrl-C stops all.
"""


@contextmanager
def subgraph(name: str, port: int) -> Iterator[str]:
    """A server of one subgraph, ready to answer at this URL."""
    settings = {"PORT": str(port), "FEDERATION_VERSION": VERSION, "LOG_LEVEL": "warning"}
    process = subprocess.Popen(
        [sys.executable, "server.py", "serve", "--subgraph", name],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us: we end it when we are done
    )
    try:
        url = f"http://127.0.0.1:{port}"
        while process.poll() is None:
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                break
        else:
            raise click.ClickException(f"The subgraph {name} does not start; is port {port} taken?")
        yield f"{url}/graphql"
    finally:
        process.terminate()
        process.wait(timeout=30)


@click.command()
@click.option(
    "--port",
    default=4000,
    show_default=True,
    help="Of the router; those of the subgraphs are the next four.",
)
def main(port: int) -> None:
    """Start four subgraphs and a router, and stop them on Ctrl-C."""
    # Said for Ctrl-C as well, since a shell that starts something in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        install()
        with ExitStack() as stack:
            first, *others = ((name, port + n) for n, name in enumerate(SUBGRAPHS, 1))
            click.echo("Starting the subgraphs; the first time, the directory is loaded.")
            # Tables and data are brought up to date by the first, and found so by the others.
            urls = [stack.enter_context(subgraph(*first))]
            with ThreadPoolExecutor() as pool:
                urls += pool.map(lambda each: stack.enter_context(subgraph(*each)), others)
            named = list(zip(SUBGRAPHS, urls, strict=True))
            # Whole, whoever may see what: each subgraph asks who asks, and the router tells it.
            whole = Audiences().graph(Role.ADMIN)
            told = [
                {"name": name, "url": url, "sdl": sdl(part(whole, [name], VERSION))}
                for name, url in named
            ]
            (made,) = compose([Job("guild", told)])
            if made.supergraph is None:
                raise click.ClickException("; ".join(made.errors))
            stack.enter_context(router("hive.mjs", made.supergraph, port))
            parts = "".join(f"      {url}    {name}\n" for name, url in named)
            click.echo(WELCOME.format(port=port, parts=parts))
            signal.pause()
    except NodeError as error:
        raise click.ClickException(f"{error}.") from error
    except KeyboardInterrupt:
        click.echo("Stopped.")


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
