"""One look a second at the server: its metrics, and its processes where they run on this machine."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request

import psutil
import trio

from simplestchat.load.record import ProcessSample, ServerSample
from simplestchat.load.scrape import MAX_TEXT_BYTES, MetricsError, read_metrics
from simplestchat.load.server import LocalServer
from simplestchat.load.trust import Trust

SCRAPE_TIMEOUT_S = 5.0


class ServerWatch:
    """Takes samples. What cannot be had is absent from them, and ``trouble`` says why."""

    def __init__(self, url: str, server: LocalServer | None, trust: Trust | None = None) -> None:
        self.trouble = ""
        self._url = url.rstrip("/") + "/metrics"
        self._server = server
        self._context = (trust or Trust()).context() if url.startswith("https:") else None

    async def sample(self, at_us: int) -> ServerSample:
        """Look now; ``at_us`` is what the coordinator's clock reads."""
        processes = self._processes()
        try:
            text = await trio.to_thread.run_sync(fetch, self._url, self._context, abandon_on_cancel=True)
            sample = read_metrics(text, at_us, processes)
        except (OSError, ValueError, MetricsError) as error:
            self.trouble = f"{self._url}: {error}"
            return ServerSample(at_us=at_us, processes=processes)
        return sample if processes else _with_processes(sample)

    def _processes(self) -> tuple[ProcessSample, ...]:
        """Asked for anew each time: a worker that died has a successor."""
        found = []
        for name, process in self._server.processes() if self._server else []:
            try:
                with process.oneshot():
                    cpu, memory = process.cpu_times(), process.memory_info()
            except psutil.Error:
                continue
            found.append(ProcessSample(name=name, pid=process.pid, cpu_s=cpu.user + cpu.system, rss_bytes=memory.rss))
        return tuple(found)


def fetch(url: str, context: ssl.SSLContext | None) -> str:
    """The text at an address; at most a little more than ``MAX_TEXT_BYTES`` of it. Raises OSError or ValueError."""
    # No proxy of the environment stands between a load tester and its server.
    secure = [urllib.request.HTTPSHandler(context=context)] if context else []
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *secure)
    try:
        with opener.open(url, timeout=SCRAPE_TIMEOUT_S) as answer:
            return str(answer.read(MAX_TEXT_BYTES + 1).decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        error.close()  # it is an answer, too, and holds a connection
        raise


def _with_processes(sample: ServerSample) -> ServerSample:
    """A remote server's processes, as it describes them itself."""
    found = []
    if "process_cpu_seconds" in sample.metrics:
        found.append(_described("node", sample.metrics, "process_"))
    for number, worker in sorted(sample.workers.items()):
        if "cpu_seconds" in worker:
            found.append(_described(f"worker {number}", worker, ""))
    return ServerSample(
        at_us=sample.at_us,
        metrics=sample.metrics,
        workers=sample.workers,
        histograms=sample.histograms,
        processes=tuple(found),
    )


def _described(name: str, values: dict[str, float], prefix: str) -> ProcessSample:
    rss = int(values.get(prefix + "resident_memory_bytes", 0))
    return ProcessSample(name=name, pid=0, cpu_s=values[prefix + "cpu_seconds"], rss_bytes=rss)
