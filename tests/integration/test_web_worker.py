"""Slow visitors of the web server: they keep nobody else waiting, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from school_portal.web_worker import NEVER_WAITING, SMALL_BODY
from tests.factories.slow_visitors import (
    LARGE,
    THREADS,
    Caller,
    EndlessWorker,
    HastyWorker,
    HurriedWorker,
    ask,
    callers,
    drip,
    hashed,
    head,
    running_site,
)
from tests.faults.conftest import until

MANY, CROWD = 50, 200
BIG = SMALL_BODY * 4
OK = "HTTP/1.1 200 OK"
Address = tuple[str, int]

WAYS: dict[str, bytes] = {
    "idle": b"",
    "half a line": b"POST /hea",
    "half a head": head("/healthz")[:-2],
    "a small body's half": head("/healthz", 1000) + b"x" * 500,
    "a large body's beginning": head("/healthz", BIG) + b"x" * (SMALL_BODY // 2),
}
LATE = {
    "a large body's half": head("/healthz", BIG) + b"x" * (BIG // 2),
    "chunks that do not end": head("/healthz").replace(
        b"Content-Length: 0", b"Transfer-Encoding: chunked"
    ),
    "a body that nobody reads": head("/unread", BIG) + b"x" * SMALL_BODY,
    "a body announced": head("/healthz", 1000, "Expect: 100-continue"),
}


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with running_site(EndlessWorker, tmp_path_factory.mktemp("endless")) as address:
        yield address


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with running_site(HastyWorker, tmp_path_factory.mktemp("hasty")) as address:
        yield address


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with running_site(HurriedWorker, tmp_path_factory.mktemp("hurried")) as address:
        yield address


@pytest.mark.parametrize("way", WAYS)
def test_fifty_who_do_not_finish_asking_cost_no_thread(endless: Address, way: str) -> None:
    with callers(MANY, endless) as slow:
        for one in slow:
            one.say(WAYS[way])
        for _ in range(THREADS):
            assert ask(endless) == (OK, hashed([]))
        assert all(one.is_held() for one in slow)


@pytest.mark.parametrize("way", LATE)
def test_of_those_for_whom_a_thread_waits_some_are_let_go_and_others_are_answered(
    endless: Address, way: str
) -> None:
    with callers(CROWD, endless) as slow:
        for one in slow:
            one.say(LATE[way])
        for _ in range(THREADS):
            assert ask(endless, b"short") == (OK, hashed([b"short"]))


@pytest.mark.parametrize("path", ["/large", "/file"])
def test_fifty_who_do_not_listen_keep_nobody_from_being_answered(
    endless: Address, path: str
) -> None:
    with callers(MANY, endless, keeps=4096) as deaf:
        for one in deaf:
            one.say(head(path))
        for _ in range(THREADS):
            assert ask(endless) == (OK, hashed([]))


def test_as_many_large_bodies_at_once_as_threads_may_wait_are_taken(tmp_path: Path) -> None:
    body = bytes(range(256)) * (BIG // 256)
    with (
        running_site(EndlessWorker, tmp_path) as address,
        callers(THREADS - NEVER_WAITING, address) as slow,
    ):
        for one in slow:
            one.say(head("/healthz", BIG) + body[: SMALL_BODY + 1])
        assert ask(address) == (OK, hashed([]))
        for one in slow:
            one.say(body[SMALL_BODY + 1 :])
        assert [one.hear() for one in slow] == [(OK, hashed([body]))] * len(slow)


@pytest.mark.parametrize("size", [0, 1, 1000, SMALL_BODY - 1, SMALL_BODY, SMALL_BODY + 1, BIG])
@pytest.mark.parametrize("piece", [0, 7919])
def test_what_comes_in_pieces_comes_whole(endless: Address, size: int, piece: int) -> None:
    body = bytes(number % 251 for number in range(size))
    sent = head("/healthz", size) + body
    with callers(1, endless) as (one,):
        for _ in range(2):  # the second on the same connection
            one.say(
                *(
                    sent[at : at + (piece or len(sent))]
                    for at in range(0, len(sent), piece or len(sent))
                )
            )
            assert one.hear() == (OK, hashed([body]))


def test_whoever_asks_first_is_told_to_go_on(endless: Address) -> None:
    with callers(1, endless) as (one,):
        one.say(head("/healthz", 5, "Expect: 100-continue"))
        assert one.socket.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        one.say(b"short")
        assert one.hear() == (OK, hashed([b"short"]))


def test_several_requests_sent_at_once_are_answered_in_turn(endless: Address) -> None:
    bodies = [b"first", b"second", b"third"]
    with callers(1, endless) as (one,):
        one.say(b"".join(head("/healthz", len(body)) + body for body in bodies))
        heard = b""
        while not all(hashed([body]) in heard for body in bodies):
            heard += one.socket.recv(65536)
    assert sorted(bodies, key=lambda body: heard.index(hashed([body]))) == bodies


@pytest.mark.parametrize("path", ["/large", "/file"])
def test_what_is_large_is_heard_whole(endless: Address, path: str) -> None:
    with callers(1, endless) as (one,):
        one.say(head(path))
        status, body = one.hear()
    assert (status, len(body)) == (OK, LARGE)


@pytest.mark.parametrize("way", [*WAYS, *LATE])
def test_whoever_stops_in_the_middle_is_let_go(hasty: Address, way: str) -> None:
    with callers(1, hasty) as (one,):
        one.say({**WAYS, **LATE}[way])
        assert one.is_let_go()


def test_whoever_stops_in_the_middle_of_the_second_request_is_let_go(hasty: Address) -> None:
    with callers(1, hasty) as (one,):
        one.say(head("/healthz"))
        assert one.hear() == (OK, hashed([]))
        one.say(b"POST /he")
        assert one.is_let_go()


def test_whoever_stops_listening_is_let_go(hasty: Address) -> None:
    """Else stopping the site, which waits for all it answers, would not end."""
    with callers(THREADS, hasty, keeps=4096) as deaf:
        for one in deaf:
            one.say(head("/large"))
        until(lambda: ask(hasty) == (OK, hashed([])), "an answer, in spite of our own haste")


@pytest.mark.parametrize(
    "start", [head("/healthz")[:-2], head("/healthz", BIG) + b"x" * SMALL_BODY]
)
def test_whoever_goes_on_for_ever_is_let_go(hurried: Address, start: bytes) -> None:
    with callers(1, hurried) as (one,):
        one.say(start)
        drip(one, b"x")


def test_after_the_last_answer_the_rest_is_not_waited_for(endless: Address) -> None:
    with callers(MANY, endless) as slow:
        for one in slow:
            one.say(head("/healthz", 0, "Connection: close"))
        assert [one.hear() for one in slow] == [(OK, hashed([]))] * MANY
        assert ask(endless) == (OK, hashed([]))
        for one in slow:
            assert one.is_let_go()


def test_stopping_does_not_wait_for_who_has_asked_nothing(tmp_path: Path) -> None:
    with running_site(EndlessWorker, tmp_path) as address:
        idle = Caller(address)
        assert ask(address) == (OK, hashed([]))
    assert idle.is_let_go()
