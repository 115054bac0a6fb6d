"""Starting programs and servers: pinned, bounded in time, in turn; and who else used the machine meanwhile."""

import contextlib
import os
import random
import resource
import signal
import socket
import subprocess
import time

from harness.programs import Failed, say

RUN_LIMIT = 90  # seconds that any program started here may live
CORES = sorted(os.sched_getaffinity(0))

def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="ascii")
                  if line.startswith("model name")), "unknown CPU")
    return f"{len(CORES)} cores of {model}, Linux {os.uname().release}"


first = False  # before all else on the machine; set by compare


def child_setup(cores):
    """Runs in the child before its program: it is pinned, may open many sockets, and ends by itself if we do not."""
    def setup():
        os.sched_setaffinity(0, cores)
        if first:
            # Both, since the kernel may share out the cores by session first, and within each by nice value.
            os.setsid()
            with contextlib.suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as file:
                file.write("-19")
            os.setpriority(os.PRIO_PROCESS, 0, -19)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        signal.alarm(RUN_LIMIT)
    return setup


def run_program(command, environment, cores, good=(0,)):
    """What it wrote, to its output and to its error output."""
    try:
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env={**os.environ, **environment}, timeout=RUN_LIMIT,
                              preexec_fn=child_setup(cores))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(str(error)) from error
    if done.returncode not in good:
        raise Failed(f"exit status {done.returncode}: {done.stderr.strip()[:300]}")
    return done.stdout, done.stderr


class Bystanders:
    """How many cores the rest of the machine uses while our own children run, children that have ended by then."""

    @staticmethod
    def _now():
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(word) for word in file.readline().split()[1:9]]
        busy = sum(fields) - fields[3] - fields[4]  # without idle and iowait
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.monotonic(), busy / os.sysconf("SC_CLK_TCK") - own.ru_utime - own.ru_stime

    def __init__(self):
        self._start = self._now()

    def cores(self):
        wall, busy = (after - before for before, after in zip(self._start, self._now()))
        return max(0.0, busy / wall)


def ephemeral_start():
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


def new_ports():
    """Below the ephemeral range, where no connection takes them; each once, since an io_uring listener lingers."""
    start = max(1024, min(20000, ephemeral_start() - 8000))
    ports = list(range(start, ephemeral_start()))
    random.shuffle(ports)
    for port in ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


@contextlib.contextmanager
def server(command, environment, cores):
    """The process of a server that accepts connections on the port that is the command's last word."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, env={**os.environ, **environment}, preexec_fn=child_setup(cores))
    try:
        port = int(command[-1])
        for _ in range(500):
            time.sleep(0.02)
            if process.poll() is not None:
                raise Failed(f"the server ended: {process.stderr.read().strip()[:300]}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
        else:
            raise Failed("the server does not accept connections")
        yield process
    finally:
        process.kill()
        process.communicate()


def in_turn(title, peers, rounds, run):
    """The samples of `run(peer, round)`, a list of dicts: in each round every peer, each time another one first."""
    samples, failed = [], {}
    for number in range(rounds):
        say(f"{title}, round {number + 1} of {rounds}")
        start = number % len(peers)
        for peer in peers[start:] + peers[:start]:
            if peer in failed:
                continue
            try:
                samples += [{"peer": peer, "round": number, **sample} for sample in run(peer, number)]
            except Failed as error:
                say(f"  {peer}: {error}")
                failed[peer] = str(error)
    return samples, failed
