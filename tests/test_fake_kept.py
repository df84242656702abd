"""An image that comes again is known without hashing it anew, and never taken for another."""

import hashlib

import pytest

from fake_server import FakeServer
from fake_server.journal import Journal, Kept, LoggedRequest
from fake_server.shelf import Shelf
from tests.asking import body, image, post
from tests.pictures import data_url, png_of_bytes

SIZE = 20_000
SEEN = bytes(range(250)) * (SIZE // 250)


@pytest.fixture
def kept() -> Kept:
    """Give a place with room for two of them, and one in it."""
    kept = Kept(Shelf(most=10, room=2 * SIZE, size=len))
    kept.put("seen", SEEN)
    return kept


def _copied(data: bytes) -> bytes:
    return bytes(bytearray(data))


def test_bytes_that_came_before_are_known(kept: Kept) -> None:
    assert kept.name_of(_copied(SEEN)) == "seen"


@pytest.mark.parametrize("at", [0, SIZE // 2, SIZE - 1], ids=["first", "in the middle", "last"])
def test_a_byte_makes_others_of_them(kept: Kept, at: int) -> None:
    other = bytearray(SEEN)
    other[at] ^= 1
    assert kept.name_of(bytes(other)) is None


def test_what_others_took_the_place_of_is_not_known_any_more(kept: Kept) -> None:
    for name in ("one", "two"):
        kept.put(name, name.encode() * (SIZE // 3))
    assert kept.name_of(SEEN) is None


def test_a_journal_keeps_as_many_bytes_of_images_as_there_is_room_for() -> None:
    images = Journal(most=10, image_room=2 * SIZE, exchange_room=0).images
    for name in ("one", "two", "three"):
        images.put(name, name.encode() + SEEN[5:])
    assert [images.get(name) is not None for name in ("one", "two", "three")] == [False, True, True]


def test_of_a_request_that_is_forgotten_nothing_stays() -> None:
    journal = Journal(most=10, image_room=0, exchange_room=10_000)
    for _ in range(100):
        log = LoggedRequest("GET", "/", {})
        journal.append(log)
        journal.keep_answer(log, b"x")
    assert list(journal._with_bodies) == journal
    assert journal._exchange_size == len(journal)


def test_what_is_forgotten_is_not_known_any_more(kept: Kept) -> None:
    kept.clear()
    assert kept.name_of(SEEN) is None


def test_what_there_is_no_room_for_is_not_known(kept: Kept) -> None:
    kept.put("large", SEEN * 3)
    assert kept.name_of(SEEN * 3) is None


def test_what_was_forgotten_is_known_when_it_came_again(kept: Kept) -> None:
    kept.clear()
    kept.put("again", SEEN)
    assert kept.name_of(SEEN) == "again"


def test_what_is_hashed_sooner_than_compared_is_left_to_it(kept: Kept) -> None:
    kept.put("short", SEEN[:1000])
    assert kept.name_of(SEEN[:1000]) is None


def test_images_that_differ_at_their_end_have_hashes_of_their_own(grok_server: FakeServer) -> None:
    images = [png_of_bytes(SIZE) + end for end in (b"a", b"b", b"a")]
    for data in images:
        post(grok_server, body(image(data_url(data))))
    seen = [log.images[0].sha256 for log in grok_server.requests]
    assert seen == [hashlib.sha256(data).hexdigest() for data in images]
