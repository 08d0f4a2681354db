"""Waiting for what a store returned: a value, a Deferred or a coroutine (`interfaces.Answer`)."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable
from typing import TypeVar, cast

from imapd.store.interfaces import Answer

__all__ = ["each", "settled"]

_T = TypeVar("_T")


async def settled(answer: Answer[_T]) -> _T:
    """The value, waited for if it is not there yet."""
    if isinstance(answer, Awaitable):
        return cast(_T, await answer)
    return answer


async def each(answers: Iterable[_T] | AsyncIterable[_T]) -> AsyncIterator[_T]:
    """What a plain or an asynchronous iterable yields."""
    if isinstance(answers, AsyncIterable):
        async for one in answers:
            yield one
    else:
        for one in answers:
            yield one
