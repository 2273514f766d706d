"""What the studio costs: start to first page, a warm sample, and many visitors at once.

    python tests/benchmarks/bench_studio.py [USERS]

Visitors ask over HTTP as the page does: they load it, open a session, and press a button of their own rendering.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
import uuid

MODEL = "dcgan.mnist"


class Visitor:
    """One session of gradio's protocol: events are joined to a queue, and answers come as a stream."""

    def __init__(self, address: str) -> None:
        self.address, self.session = address.rstrip("/"), uuid.uuid4().hex[:10]

    def ask(self, fn: int, data: list[object], trigger: int | None = None) -> dict[str, object]:
        """The output of an event."""
        body = {"data": data, "fn_index": fn, "session_hash": self.session, "trigger_id": trigger}
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.address}/gradio_api/queue/join?", json.dumps(body).encode(), headers)
        urllib.request.urlopen(request, timeout=120).read()
        stream = f"{self.address}/gradio_api/queue/data?session_hash={self.session}"
        with urllib.request.urlopen(stream, timeout=120) as lines:
            for line in lines:
                message = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if message.get("msg") == "process_completed":
                    assert message["success"], message
                    return dict(message["output"])
        raise ConnectionError("the stream ended")

    def open(self) -> None:
        """The page, the model's rendering, and where its first button is."""
        page = json.loads(urllib.request.urlopen(f"{self.address}/config", timeout=120).read())
        render = next(d for d in page["dependencies"] if len(d["inputs"]) == 2)  # the model and its network
        made = self.ask(render["id"], [MODEL, None])["render_config"]
        buttons = {c["id"] for c in made["components"] if c["props"].get("elem_id") == "gz-make"}
        self.press_id, self.trigger = next(
            (d["id"], target[0]) for d in made["dependencies"] for target in d["targets"] if target[0] in buttons
        )

    def press(self, seed: int) -> float:
        """Seconds of a sample."""
        start = time.perf_counter()
        answer = self.ask(self.press_id, [seed], self.trigger)
        assert f"seed {seed}" in str(answer["data"])
        return time.perf_counter() - start


def main(users: int) -> None:
    start = time.perf_counter()
    command = [sys.executable, "-m", "ganzoo_core", "studio", MODEL, "--port", "0"]
    studio = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert studio.stdout is not None
    address = studio.stdout.readline().strip()
    try:
        urllib.request.urlopen(address, timeout=120).read()
        print(f"start to first page: {time.perf_counter() - start:.1f} s")
        one = Visitor(address)
        one.open()
        one.press(0)
        times = [one.press(seed) for seed in range(1, 11)]
        print(f"warm sample of {MODEL}: median {statistics.median(times):.3f} s, slowest {max(times):.3f} s")
        many(address, users)
    finally:
        studio.terminate()
        studio.wait()


def many(address: str, users: int) -> None:
    """All press at the same moment, five times over."""
    visitors = [Visitor(address) for _ in range(users)]
    for visitor in visitors:
        visitor.open()
    together, times = threading.Barrier(users), list[float]()

    def use(k: int) -> None:
        for turn in range(5):
            together.wait()
            times.append(visitors[k].press(1000 * k + turn))

    threads = [threading.Thread(target=use, args=(k,)) for k in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = 5 * users - len(times)
    print(f"{users} at once: {lost} lost, median {statistics.median(times):.2f} s, slowest {max(times):.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
