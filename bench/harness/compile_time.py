"""How long a compiler takes for a user's file: its CPU, best of a few, since nothing makes a compiler faster than it is."""

import os
import resource
import shutil

from harness.programs import BENCH, CXX, ROOT, has_header
from harness.running import CORES, run_program

FILES = [  # with the levels of optimisation
    ("std_headers.cpp", ["-O0"]),
    ("coroutine_task_header.cpp", ["-O0"]),
    ("task_header.cpp", ["-O0"]),
    ("tcp_header.cpp", ["-O0"]),
    ("echo_astd.cpp", ["-O0", "-O2"]),
    ("echo_asio.cpp", ["-O0", "-O2"]),
]


def seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_program(command, {}, set(CORES))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows(rounds):
    compilers = [name for name in dict.fromkeys(["g++", CXX]) if shutil.which(name)]
    samples = {}
    asio = ["-DASIO_STANDALONE", "-DASIO_HAS_CO_AWAIT", "-DASIO_HAS_STD_COROUTINE"]
    for _ in range(rounds):
        for file, levels in FILES:
            for compiler in compilers:
                if "asio" in file and not has_header(compiler, ["-x", "c++", "-std=c++20", *asio], "asio.hpp"):
                    continue
                for level in levels:
                    flags = ["-std=c++2b", level, f"-I{ROOT}", *(asio if "asio" in file else [])]
                    taken = seconds([compiler, *flags, "-c", BENCH / "compile" / file, "-o", os.devnull])
                    samples.setdefault((file, f"{compiler} {level}"), []).append(taken)
    for (file, how), taken in samples.items():
        yield [file, how, f"{min(taken):.2f}", f"{100 * (max(taken) - min(taken)) / min(taken):.0f} %"]
