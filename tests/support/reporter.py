"""Child processes that write a line of JSON now and then, and end when their standard input does."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

END_TIMEOUT_S = 10.0


class Reporter:
    """One such process; ``wait_for`` looks at each of its reports."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._changed = threading.Condition()
        self._reports: list[Any] = []
        self._errors: list[str] = []
        self._ended = False
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._reports.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)

    def wait_for(self, accept: Callable[[Any], bool], timeout_s: float = 30.0) -> Any:
        """The newest report, as soon as it is accepted."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or (bool(self._reports) and accept(self._reports[-1])), timeout_s
            )
            last = self._reports[-1] if self._reports else None
        if last is None or not accept(last):
            raise AssertionError(f"last report: {last}\n" + "".join(self._errors))
        return last

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(END_TIMEOUT_S)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
