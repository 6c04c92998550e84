"""Natural keys become ids and slugs, the same ones on every machine."""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID, uuid5

# uuid5(NAMESPACE_URL, "https://github.com/community-resources-directory")
NAMESPACE = UUID("2544702d-1aca-5d6c-b361-e64209a6d820")


def identity(table: str, key: str) -> UUID:
    """
    >>> identity("institutions", "SQ") == identity("institutions", "SQ")
    True
    """
    return uuid5(NAMESPACE, f"{table}/{key}")


def slug(*words: str | None, limit: int = 60) -> str:
    """
    >>> slug("Centro Legal de la Raza", "Oakland")
    'centro-legal-de-la-raza-oakland'
    >>> slug("Niños & Familias")
    'ninos-familias'
    """
    text = " ".join(word for word in words if word).replace("'", "").replace("’", "")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:limit].strip("-")
