"""Random models against TensorFlow Lite Micro, any number of them: `make fuzz-graphs N=1000`.

A seed that fails is printed with what was wrong; `make fuzz-graphs SEED=...` runs it alone, and keeps its files.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
MICROPYTHON = ["micropython", "micropython-portable"]
PORTABLE_ROWS = 2  # pure Python is slow


def check(seed: int, folder: Path, micropython: bool = True) -> list[str]:
    """Compares every backend with TFLM, byte for byte. Returns the names of the model's blocks."""
    import tflm
    from midge_host import backends
    from midge_host.conversion import convert
    from random_graphs import random_graph

    graph = random_graph(seed)
    source, path = folder / f"seed{seed}.tflite", folder / f"seed{seed}.midge"
    source.write_bytes(graph.tflite)
    expected = tflm.run(graph.tflite, graph.inputs)
    convert(source, path)
    for name in ["numpy", "cpython", "portable", *(MICROPYTHON if micropython else [])]:
        rows = PORTABLE_ROWS if "portable" in name else len(graph.inputs[0])
        for weights in ["auto", "stream"] if name in ("cpython", "micropython") else ["auto"]:
            outputs = backends.run(name, path, [x[:rows] for x in graph.inputs], weights).outputs
            for i, (got, want) in enumerate(zip(outputs, expected, strict=True)):
                assert got.dtype == want.dtype
                where = f"seed {seed}, output {i} on {name}, weights {weights}; blocks: {', '.join(graph.blocks)}"
                np.testing.assert_array_equal(got, want[:rows], err_msg=where)
    return graph.blocks


def _work(seeds: Connection, folder: Path, micropython: bool) -> None:
    """A process that checks the seeds it is sent, and sends back what happened."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # TensorFlow logs from C++
    while True:
        seed = seeds.recv()
        try:
            seeds.send((check(seed, folder, micropython), None))
        except Exception as error:
            seeds.send(([], f"{type(error).__name__}: {error}"))


class Worker:
    """A process and the seed it is at. A model may end the process: TFLM aborts where it asserts."""

    def __init__(self, folder: Path, micropython: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_work, args=(other, folder, micropython), daemon=True)
        self.process.start()
        other.close()

    def start(self, seed: int) -> None:
        self.seed = seed
        self.pipe.send(seed)

    def result(self) -> tuple[list[str], str | None]:
        try:
            return self.pipe.recv()
        except EOFError:
            self.process.join()
            return [], f"the process ended with code {self.process.exitcode}"


def fuzz(seeds: range, processes: int, micropython: bool) -> int:
    """Checks all seeds, says how far it is, and returns how many failed."""
    blocks: Counter[str] = Counter()
    failed, done, start, todo = 0, 0, time.monotonic(), iter(seeds)
    with tempfile.TemporaryDirectory(prefix="midge-graphs-") as folder:
        busy: dict[Connection, Worker] = {}

        def give(worker: Worker) -> None:
            seed = next(todo, None)
            if seed is not None:
                worker.start(seed)
                busy[worker.pipe] = worker

        for _ in range(min(processes, len(seeds))):
            give(Worker(Path(folder), micropython))
        while busy:
            for pipe in wait(list(busy)):
                worker = busy.pop(pipe)
                names, problem = worker.result()
                blocks.update(set(names))
                done += 1
                if problem:
                    failed += 1
                    print(f"FAILED seed {worker.seed}: {problem}\n", flush=True)
                if done % 50 == 0 or done == len(seeds):
                    print(
                        f"{done} of {len(seeds)} models, {failed} failed, {time.monotonic() - start:.0f} s", flush=True
                    )
                give(worker if worker.process.is_alive() else Worker(Path(folder), micropython))
    print("blocks:", ", ".join(f"{name} {count}" for name, count in blocks.most_common()))
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=100, help="how many models")
    parser.add_argument("--first", type=int, default=None, help="the first seed; by default one that time gives")
    parser.add_argument("--seed", type=int, default=None, help="run this seed alone, and keep its files")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--no-micropython", action="store_true", help="leave out what starts a process for each model")
    options = parser.parse_args()
    if options.seed is not None:
        folder = Path(tempfile.mkdtemp(prefix="midge-graphs-"))
        print(f"files: {folder}")
        try:
            print("blocks:", ", ".join(check(options.seed, folder, not options.no_micropython)))
        except Exception:
            traceback.print_exc()
            return 1
        return 0
    first = options.first if options.first is not None else int(time.time())
    return 1 if fuzz(range(first, first + options.n), options.processes, not options.no_micropython) else 0


if __name__ == "__main__":
    sys.exit(main())
