"""Many made-up inputs of each kind, the same for the same seed.

    python -m tests.soak [COUNT] [SEED]

COUNT is that of each kind of single input; of connections, and of sessions, which are some 25 requests each,
there are fewer.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from fake_server import FakeServer
from tests.fuzzing import Dice, Requests, image, run, stream
from tests.redis_server import redis_running, there_is_redis
from tests.sessions import play
from tests.wires import Wires, answer

Make = Callable[[Dice], None]


def kinds(count: int, context: ExitStack) -> Iterator[tuple[str, Make, int]]:
    """Give each kind with its maker and how many of it there are."""
    alone = Requests()
    yield "http", alone.http, count
    yield "grpc", alone.grpc, count
    yield "image", image, count
    yield "stream", stream, count
    yield "answer", answer, count // 10
    wires = Wires(context.enter_context(FakeServer()))
    context.callback(wires.close)
    yield "wire http/1.1", wires.http1, count // 10
    yield "wire http/2", wires.http2, count // 10
    yield "session", lambda dice: play(dice, [alone]), count // 25
    if there_is_redis():
        folder = Path(context.enter_context(TemporaryDirectory()))
        redis = context.enter_context(redis_running(folder))
        pair = [Requests(FakeServer(state=redis.url)) for _ in range(2)]
        yield "session with Redis", lambda dice: play(dice, [alone], pair), count // 250


def main() -> None:
    """Run them."""
    count, seed = int([*sys.argv, "", "100000"][1] or 100_000), int([*sys.argv, "", ""][2] or 1)
    logging.disable(logging.WARNING)
    with ExitStack() as context:
        for name, make, many in kinds(count, context):
            began = time.perf_counter()
            slowest = max(run(name, make, many, seed))
            took = time.perf_counter() - began
            told = f"{name}: {many:,} in {took:.0f} s, the slowest took {slowest:.3f} s\n"
            sys.stdout.write(told)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
