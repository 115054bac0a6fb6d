"""System calls and instructions of an operation, in runs of their own that nobody times.

Each is counted in a short run and in one of twice the work; the difference is free of what starting and ending cost.
System calls come from perf, where it is installed and allowed, else from strace; instructions of the program itself,
without the kernel's, from valgrind, since virtual machines often have no counter of them. There astd runs on epoll:
valgrind stops all threads while one waits in io_uring_enter.
"""

import functools
import re
import shutil
import tempfile

from harness import running
from harness.programs import PEERS, Failed, say

# Arguments of the short run, those of the long one, and how many operations they differ by.
WORK = {
    "spawn_seq": (["20000"], ["40000"], 20_000),
    "yield": (["1000", "20"], ["1000", "40"], 20_000),
    "pingpong": (["20000"], ["40000"], 20_000),
    "fib": (["18"], ["20"], 21_891 - 8_361),
    "lock": (["20000"], ["40000"], 20_000),
    "timers": (["10000"], ["20000"], 10_000),
    "blocking": (["1000"], ["2000"], 1_000),
}
ONCE = {"BENCH_REPETITIONS": "1", "BENCH_MS": "0"}
VALGRIND = ["valgrind", "--fair-sched=try", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]


PERF = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter"]


@functools.cache
def perf_works():
    try:
        return counted_by_perf(running.run_program([*PERF, "true"], {}, set(running.CORES))[1]) > 0
    except Failed:
        return False


def counted_by_perf(text):
    found = re.search(r"^(\d+),[^,]*,raw_syscalls:sys_enter", text, re.MULTILINE)
    if found is None:
        raise Failed(f"perf says {text.strip()[:200]!r}")
    return int(found[1])


def counted_by_strace(text):
    found = re.search(r"^\s*100\.00\s+\S+\s+\S*\s*(\d+).*total$", text, re.MULTILINE)
    if found is None:
        raise Failed(f"strace says {text.strip()[:200]!r}")
    return int(found[1])


def system_calls(command, environment, cores):
    if perf_works():
        return counted_by_perf(running.run_program([*PERF, *command], environment, cores)[1])
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as file:
        running.run_program(["strace", "-c", "-f", "-o", file.name, *command], environment, cores)
        return counted_by_strace(file.read())


def instructions(command, environment, cores):
    text = running.run_program([*VALGRIND, *command], {**environment, "ASTD_DRIVER": "epoll"}, cores)[1]
    found = re.search(r"I\s+refs:\s+([\d,]+)", text)
    if found is None:
        raise Failed("valgrind counted nothing")
    return int(found[1].replace(",", ""))


def of_task(program, peer, bench):
    """System calls and instructions of one operation on one thread; None for what cannot be counted."""
    short, long, operations = WORK[bench]
    environment = {**PEERS[peer][1], **ONCE}
    cores = {running.CORES[0]}

    def each(count):
        try:
            few, many = (count([program, 1, bench, *arguments], environment, cores) for arguments in (short, long))
        except Failed as error:
            say(f"  {peer}: {error}")
            return None
        return max(0, many - few) / operations

    has_calls = perf_works() or shutil.which("strace")
    return (each(system_calls) if has_calls else None), (each(instructions) if shutil.which("valgrind") else None)


def of_echo(program, load, peer, setup, threads, ports):
    """System calls of a request: those of the server while the load runs, connections included."""
    if not perf_works():
        return None
    connections, size = setup.split("x")
    split = threads == 1
    port = next(ports)
    cores = running.CORES
    with running.server([program, threads, "echo", port], PEERS[peer][1], {cores[0]} if split else cores) as process:
        out, counted = running.run_program([*PERF, "-p", process.pid, "--", load, port, size, connections, "0.5",
                                            process.pid], {}, {cores[1]} if split else cores)
        return counted_by_perf(counted) / int(out.split()[9])
