"""The programs that are compared, how each is built, and which benchmarks it has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
CRATES = Path("/usr/share/cargo/registry")  # where Debian's librust-*-dev packages put their sources
BUILD_LIMIT = 3600


class Failed(Exception):
    """Something that concerns one program; the others go on."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def build_command(command, **more):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=BUILD_LIMIT, preexec_fn=lambda: os.nice(10), **more)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(str(error)) from error
    if done.returncode != 0:
        last = "\n".join("    " + line for line in done.stdout.splitlines()[-15:])
        raise Failed(f"{' '.join(map(str, command))}\n{last}")


def has_header(compiler, flags, header):
    if shutil.which(compiler) is None:
        return False
    done = subprocess.run([compiler, *flags, "-E", "-o", os.devnull, "-"], input=f"#include <{header}>\n", text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    return done.returncode == 0


# The reference compiler where it is installed, for all that is C++; GCC for C.
CC = os.environ.get("CC", "gcc")
CXX = os.environ.get("CXX") or next(filter(shutil.which, ("clang++-22", "clang++-19")), "g++")
C_FLAGS = ["-std=gnu11", "-O3", "-Wall", "-Wextra"]
# 1.22 does not know that Clang has coroutines.
ASIO_FLAGS = ["-std=c++20", "-O3", "-DNDEBUG", "-DASIO_STANDALONE", "-DASIO_HAS_CO_AWAIT", "-DASIO_HAS_STD_COROUTINE"]


def compile_program(compiler, flags, source, output, libraries):
    inputs = [source, *BENCH.glob("*.hpp"), *BENCH.glob("peers/*.h")]
    if not output.exists() or output.stat().st_mtime < max(path.stat().st_mtime for path in inputs):
        build_command([compiler, *flags, source, "-o", output, *libraries])
    return output


def have_c():
    return [(shutil.which(CC), "gcc")]


def have_liburing():
    return have_c() + [(has_header(CC, ["-x", "c"], "liburing.h"), "liburing-dev")]


def have_libuv():
    return have_c() + [(has_header(CC, ["-x", "c"], "uv.h"), "libuv1-dev")]


def build_c(name, *libraries):
    def build(out):
        return compile_program(CC, C_FLAGS, BENCH / "peers" / f"{name}.c", out / name, [*libraries, "-pthread"])
    return build


def have_asio():
    return [(shutil.which(CXX), "g++"), (has_header(CXX, ["-x", "c++", *ASIO_FLAGS], "asio.hpp"), "libasio-dev")]


def build_asio(out):
    return compile_program(CXX, [*ASIO_FLAGS, f"-I{ROOT}"], BENCH / "peers/asio_bench.cpp", out / "asio_bench",
                           ["-pthread"])


def have_cxx():
    return [(shutil.which(CXX), "g++")]


def build_threads(out):
    flags = ["-std=c++20", "-O3", "-DNDEBUG", f"-I{ROOT}"]
    return compile_program(CXX, flags, BENCH / "peers/threads_bench.cpp", out / "threads_bench", ["-pthread"])


def have_crates(*names):
    def have():
        return [(shutil.which("cargo"), "cargo"), (shutil.which("rustc"), "rustc")] + [
            (list(CRATES.glob(f"{name}-[0-9]*")), f"librust-{name}-dev") for name in names]
    return have


def build_rust(name):
    def build(out):
        # A copy, because cargo writes a lock file beside its manifest.
        copy = shutil.copytree(BENCH / "peers/rust", out / "rust", dirs_exist_ok=True) / name
        build_command(["cargo", "build", "--release", "--offline",
                       "--config", 'source.crates-io.replace-with="debian"',
                       "--config", f'source.debian.directory="{CRATES}"'], cwd=copy)
        return copy / f"target/release/{name}_bench"
    return build


def have_go():
    return [(shutil.which("go"), "golang-go")]


def build_go(out):
    go = {"GO111MODULE": "off", "GOCACHE": str(out / "go-cache"), "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    sources = sorted((BENCH / "peers").glob("go_*.go"))
    build_command(["go", "build", "-o", out / "go_bench", *sources], env={**os.environ, **go})
    return out / "go_bench"


def have_astd():
    return [(shutil.which("cmake"), "cmake")]


def build_astd(out, target="astd_bench", folder="bench"):
    tree = out / "astd"
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    build_command(["cmake", "-S", ROOT, "-B", tree, *generator, "-DCMAKE_BUILD_TYPE=Release",
                   f"-DCMAKE_CXX_COMPILER={CXX}", "-DASTD_BUILD_BENCHMARKS=ON", "-DASTD_BUILD_TESTS=OFF",
                   "-DASTD_BUILD_EXAMPLES=ON"])
    build_command(["cmake", "--build", tree, "--target", target, "--parallel", str(os.cpu_count())])
    return tree / folder / target


# A program: what has to be installed, with the Debian package that brings it, and how it is built.
PROGRAMS = {
    "astd": (have_astd, build_astd),
    "tokio": (have_crates("tokio", "libc"), build_rust("tokio")),
    "async_std": (have_crates("async-std", "atomic-waker", "libc"), build_rust("async_std")),
    "asio": (have_asio, build_asio),
    "libuv": (have_libuv, build_c("libuv_bench", "-luv")),
    "go": (have_go, build_go),
    "threads": (have_cxx, build_threads),
    "epoll": (have_c, build_c("epoll_server")),
    "uring": (have_liburing, build_c("uring_server", "-luring")),
    "load": (have_liburing, build_c("load", "-luring")),
}

TASKS = ["spawn", "spawn_10k", "spawn_seq", "yield", "pingpong", "fib", "skynet", "queens", "lock",
         "lock_shared", "lock_held", "rwlock", "semaphore", "broadcast", "request", "channel", "mpsc", "mpsc_unbounded",
         "mpmc", "timers", "sleeps", "blocking", "mem"]
WORLD = ["echo", "idle_conn"]
ALL = TASKS + WORLD
LOCKS = ["lock", "lock_shared", "lock_held", "rwlock", "semaphore", "request"]
WAITING = [*LOCKS, "broadcast", "channel", "mpsc", "mpsc_unbounded", "mpmc"]


def without(*names):
    return [name for name in ALL if name not in names]


# A peer: its program, its environment, the benchmarks it has, and whether it is left out with several threads: because
# it would be the same as another, or has one thread only.
PEERS = {
    "astd": ("astd", {}, ALL, False),
    "astd_epoll": ("astd", {"ASTD_DRIVER": "epoll"}, WORLD, False),
    "astd_lean": ("astd", {"ASTD_BENCH_LEAN": "1"}, WORLD, False),
    "tokio": ("tokio", {}, without("mpmc"), False),
    "tokio_mt": ("tokio", {"TOKIO_MULTI_THREAD": "1"}, without("mpmc"), True),
    "async_std": ("async_std", {}, without("semaphore", "broadcast"), False),
    "asio": ("asio", {}, without(*WAITING), False),
    "libuv": ("libuv", {}, ["timers", "sleeps", "blocking", *WORLD], True),
    "go": ("go", {}, without("blocking"), False),
    "threads": ("threads", {}, LOCKS, True),
    "epoll": ("epoll", {}, WORLD, False),
    "uring": ("uring", {}, WORLD, False),
}

# Why a benchmark is missing in a program, for the report.
GAPS = {
    "tokio": "a channel has one receiver: no mpmc",
    "async_std": "has no semaphore and no broadcast channel",
    "asio": "has no primitives to wait in but, after 1.22, channels",
    "libuv": "callbacks on one thread: no tasks to spawn, join or wake",
    "go": "a goroutine may block as it is: no blocking hop",
    "threads": "std's own, a thread for each task: only what threads wait in",
}


def build_all(names, out):
    """Paths of the programs that could be built, why the others could not, and whether all that are installed could."""
    built, left_out, sound = {}, {}, True
    for name in names:
        have, build = PROGRAMS[name]
        missing = [package for found, package in have() if not found]
        if missing:
            left_out[name] = f"not installed; Debian: apt-get install {' '.join(missing)}"
            say(f"{name}: left out, {left_out[name]}")
            continue
        say(f"{name}: building")
        try:
            built[name] = build(out)
        except Failed as error:
            left_out[name] = "does not build"
            say(f"{name}: left out, it does not build: {error}")
            sound = False
    return built, left_out, sound
