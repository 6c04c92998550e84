"""A memory forgets what was used least recently, by number and by weight."""

from __future__ import annotations

from resolvers.cache import Cache


def test_what_was_used_least_recently_is_forgotten_first() -> None:
    cache: Cache[str, int] = Cache(entries=2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_heavy_things_push_out_light_ones() -> None:
    cache: Cache[str, int] = Cache(weight=10)
    for number, key in enumerate("abcde"):
        cache.put(key, number, weight=2)
    cache.put("f", 5, weight=7)
    assert [key for key in "abcdef" if cache.get(key) is not None] == ["e", "f"]


def test_what_is_too_heavy_by_itself_is_not_kept() -> None:
    cache: Cache[str, int] = Cache(weight=10)
    cache.put("a", 1, weight=5)
    cache.put("b", 2, weight=11)
    assert (cache.get("a"), cache.get("b"), len(cache)) == (1, None, 1)


def test_what_is_kept_anew_weighs_once() -> None:
    cache: Cache[str, int] = Cache(weight=10)
    cache.put("b", 0, weight=4)
    for number in range(100):
        cache.put("a", number, weight=6)
    assert (cache.get("a"), cache.get("b")) == (99, 0)
