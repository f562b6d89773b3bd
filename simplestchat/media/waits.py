"""Waits that all end when the node does, whatever they wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from simplestchat.errors import MediaUnavailable


class Waits:
    """The waits under way; once given up, there are no more."""

    def __init__(self) -> None:
        self._scopes: set[trio.CancelScope] = set()
        self._over = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait inside; raises MediaUnavailable when it is given up."""
        if self._over:
            raise MediaUnavailable
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)
        if scope.cancelled_caught:
            raise MediaUnavailable

    def give_up(self) -> None:
        """End every wait, those behind a shield too, and let none begin."""
        self._over = True
        for scope in self._scopes:
            scope.cancel()
