"""A real issuer of tokens, for servers to trust."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

# For how long its tokens are good after they have expired, since clocks differ.
LEEWAY = timedelta(seconds=30)


class TheIssuer:
    """A real issuer of tokens, which publishes its keys over HTTP and can change them."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # its name
                outer.asked += 1
                body = json.dumps({"keys": [outer.public(name) for name in outer.keys]}).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.add("one", rsa.generate_private_key(65537, 2048))

    def add(self, name: str, key: Any) -> None:
        self.keys[name] = key

    def public(self, name: str) -> dict[str, Any]:
        key = self.keys[name]
        algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
        return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": name, "use": "sig"}

    def token(self, name: str = "one", key: Any = None, **claims: Any) -> str:
        now = datetime.now(UTC)
        said = {
            "iss": self.url,
            "aud": "directory",
            "sub": "somebody",
            "exp": now + timedelta(minutes=5),
            "scope": "staff read",
            **claims,
        }
        said = {claim: value for claim, value in said.items() if value is not None}
        signing = key or self.keys[name]
        algorithm = "RS256" if isinstance(signing, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(said, signing, algorithm, headers={"kid": name})

    def unsigned(self, **claims: object) -> str:
        """What says that nobody need have signed it."""
        now = datetime.now(UTC)
        said = {"iss": self.url, "aud": "directory", "sub": "x", "scope": "admin", **claims}
        said["exp"] = int(now.timestamp()) + 300
        return f"{part({'alg': 'none', 'kid': 'one'})}.{part(said)}."


def part(value: object) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@contextmanager
def issuing() -> Iterator[TheIssuer]:
    """An issuer that answers."""
    made = TheIssuer()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()
