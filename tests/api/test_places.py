"""Places at the workers: nobody holds more than half of them, and who holds few comes first."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from battpass.kg.errors import PoolBusy
from battpass.services.api.places import Place, Places
from battpass.services.api.problems import TooManyRequests

LONG, SHORT = 30.0, 0.05


def run(test: Callable[[], Awaitable[None]]) -> None:
    anyio.run(test)


def places(total: int = 4, *, each: int = 10, line: int = 100) -> Places:
    return Places(total, each=each, line=line, what="queries")


async def until(condition: Callable[[], bool]) -> None:
    """Wait for other tasks to come so far."""
    with anyio.fail_after(LONG):
        while not condition():
            await anyio.sleep(0)


@pytest.mark.parametrize(("total", "share"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_one_client_holds_half_of_the_places_at_most(total: int, share: int) -> None:
    async def test() -> None:
        some = places(total)
        for _ in range(share):
            await some.take("greedy", SHORT)
        with pytest.raises(PoolBusy):
            await some.take("greedy", SHORT)
        assert some.held == share
        if share < total:
            await some.take("other", SHORT)

    run(test)


def test_place_that_comes_free_goes_to_who_holds_fewest() -> None:
    async def test() -> None:
        some, order = places(2), []

        async def ask(client: str) -> None:
            with await some.take(client, LONG):
                order.append(client)

        first, second = await some.take("a", LONG), await some.take("b", LONG)
        async with anyio.create_task_group() as tasks:
            for number, client in enumerate(["a", "a", "a", "c"], 1):
                tasks.start_soon(ask, client)
                await until(lambda number=number: some.waiting == number)  # type: ignore[misc]
            second.give_back()  # a holds a place still, c none
            await until(lambda: order[:1] == ["c"])
            first.give_back()
        assert order == ["c", "a", "a", "a"]
        assert (some.held, some.waiting) == (0, 0)

    run(test)


def test_clients_that_wait_take_turns() -> None:
    async def test() -> None:
        some, order = places(1), []

        async def ask(client: str) -> None:
            with await some.take(client, LONG):
                order.append(client)

        held = await some.take("x", LONG)
        async with anyio.create_task_group() as tasks:
            for number, client in enumerate("aaaabb", 1):
                tasks.start_soon(ask, client)
                await until(lambda number=number: some.waiting == number)  # type: ignore[misc]
            held.give_back()
        assert "".join(order) == "ababaa"

    run(test)


def test_client_with_too_much_under_way_is_told_so_and_others_are_not() -> None:
    async def test() -> None:
        some = places(2, each=3)
        async with anyio.create_task_group() as tasks:
            held = await some.take("greedy", LONG)
            for _ in range(2):
                tasks.start_soon(some.take, "greedy", LONG)
            await until(lambda: some.waiting == 2)
            with pytest.raises(TooManyRequests, match="3 queries of yours"):
                await some.take("greedy", LONG)
            (await some.take("other", SHORT)).give_back()
            held.give_back()
            tasks.cancel_scope.cancel()

    run(test)


def test_line_has_an_end() -> None:
    async def test() -> None:
        some = places(1, line=2)
        await some.take("a", LONG)
        async with anyio.create_task_group() as tasks:
            for client in "bc":
                tasks.start_soon(some.take, client, LONG)
            await until(lambda: some.waiting == 2)
            with pytest.raises(PoolBusy, match="2 queries wait"):
                await some.take("d", LONG)
            tasks.cancel_scope.cancel()
        assert some.waiting == 0

    run(test)


def test_waiting_has_an_end() -> None:
    async def test() -> None:
        some = places(1)
        held = await some.take("a", LONG)
        with pytest.raises(PoolBusy, match="busy for"):
            await some.take("b", SHORT)
        assert some.waiting == 0
        held.give_back()
        assert some.held == 0

    run(test)


def test_place_granted_to_who_has_just_left_goes_on_to_the_next() -> None:
    async def test() -> None:
        some, taken = places(1), []

        async def ask(client: str) -> None:
            with await some.take(client, LONG):
                await anyio.sleep(0)
                taken.append(client)

        held = await some.take("a", LONG)
        leaving = anyio.CancelScope()

        async def leave() -> None:
            with leaving:
                await ask("b")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leave)
            await until(lambda: some.waiting == 1)
            tasks.start_soon(ask, "c")
            await until(lambda: some.waiting == 2)
            held.give_back()  # b is granted the place, and is called away before it can use it
            leaving.cancel()
        assert taken == ["c"]
        assert (some.held, some.waiting) == (0, 0)

    run(test)


def test_place_given_back_twice_is_one_place() -> None:
    async def test() -> None:
        some = places(2)
        first: Place = await some.take("a", LONG)
        await some.take("b", LONG)
        first.give_back()
        first.give_back()
        assert some.held == 1

    run(test)
