"""Medians, ratios within a round, spread; and tables in markdown."""

import statistics


def values(samples, peer, field, number=None):
    return [s[field] for s in samples if s["peer"] == peer and field in s and number in (None, s["round"])]


def median(samples, peer, field):
    return statistics.median(values(samples, peer, field))


def ratios(samples, peer, to, field):
    """One for each round that has both."""
    found = []
    for number in sorted({s["round"] for s in samples}):
        ours, theirs = values(samples, to, field, number), values(samples, peer, field, number)
        if ours and theirs and statistics.median(ours) > 0:
            found.append(statistics.median(theirs) / statistics.median(ours))
    return found


def ratio(samples, peer, to, field):
    """Median and range over the rounds, as text."""
    found = ratios(samples, peer, to, field)
    if not found:
        return "-"
    if peer == to:
        return "1"
    return f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def spread(samples, peer, field):
    """Half of the samples lie within this width, in percent of their median."""
    found = values(samples, peer, field)
    if len(found) < 2:
        return "-"
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
    return f"{100 * (high - low) / middle:.0f} %"


def table(head, rows, words=3):
    """The first `words` columns hold words, the others numbers. Nothing without rows."""
    if not rows:
        return
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join(" --- " if i < words else " ---: " for i in range(len(head))) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)


TASK_HEAD = ["bench", "threads", "peer", "wall ns", "cpu ns", "cpu/wall", "spread", "x astd", "others"]
MEMORY_HEAD = ["memory", "threads", "peer", "bytes each", "spread", "x astd"]
ECHO_HEAD = ["echo", "workers", "peer", "req/s", "p50 us", "p99 us", "p99.9 us", "cpu us/req", "spread", "x epoll",
             "x astd", "load", "others"]
COUNT_HEAD = ["counts of", "peer", "system calls each", "instructions each"]
COMPILE_HEAD = ["file", "compiler", "s", "spread"]


def task_rows(samples, peers, bench, threads):
    # A sleeping task costs CPU only, and a single thread that never sleeps is best judged by its CPU too: a busy
    # machine takes wall time from it, but hardly any of its CPU's worth.
    field = "cpu" if bench == "sleeps" or threads == 1 and bench != "blocking" else "wall"
    for peer in peers:
        if values(samples, peer, field):
            wall, cpu = median(samples, peer, "wall"), median(samples, peer, "cpu")
            yield [bench, threads, peer, f"{wall:.1f}", f"{cpu:.1f}", f"{cpu / wall:.2f}",
                   spread(samples, peer, field), ratio(samples, peer, "astd", field),
                   f"{median(samples, peer, 'others'):.2f}"]


def memory_rows(samples, peers, bench, threads):
    for peer in peers:
        if values(samples, peer, "bytes"):
            yield [bench, threads, peer, f"{median(samples, peer, 'bytes'):.0f}", spread(samples, peer, "bytes"),
                   ratio(samples, peer, "astd", "bytes")]


def echo_rows(samples, peers, setup, threads):
    for peer in peers:
        if values(samples, peer, "cpu"):
            yield [setup, threads, peer, f"{median(samples, peer, 'rate'):.0f}", f"{median(samples, peer, 'p50'):.0f}",
                   f"{median(samples, peer, 'p99'):.0f}", f"{median(samples, peer, 'p999'):.0f}",
                   f"{median(samples, peer, 'cpu') / 1e3:.2f}", spread(samples, peer, "cpu"),
                   ratio(samples, peer, "epoll", "cpu"), ratio(samples, peer, "astd", "cpu"),
                   f"{median(samples, peer, 'load'):.2f}", f"{median(samples, peer, 'others'):.2f}"]
