# SPDX-License-Identifier: GPL-3.0-or-later
"""Statistics, tables and targets. Everything is compared round by round: a figure and
the bare one that was taken seconds before or after it, then the median over rounds."""

import statistics
from dataclasses import dataclass


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def pairs(samples, arm, base):
    """(figure of ARM, figure of BASE) of every round that has both."""
    a, b = samples.get(arm, {}), samples.get(base, {})
    return [(a[k], b[k]) for k in sorted(a.keys() & b.keys())]


def ratio(samples, arm, base="bare"):
    """Quartiles of ARM / BASE, None when there is no round with both."""
    both = [x / y for x, y in pairs(samples, arm, base) if y]
    return quartiles(both) if both else None


def difference(samples, arm, base):
    both = [x - y for x, y in pairs(samples, arm, base)]
    return quartiles(both) if both else None


def middle(samples, arm):
    values = list(samples.get(arm, {}).values())
    return quartiles(values) if values else None


# ---- what is to be reached -------------------------------------------------------------


@dataclass
class Target:
    row: str
    text: str
    kind: str  # over | ratio-most | ratio-least | below | most
    limit: float
    base: str = "bare"
    arm: str = "guard"


TARGETS = [
    Target("getppid", "untrapped call <= bare + 60 ns", "over", 60),
    Target("register", "register call <= floor + 1.5 µs", "over", 1500, "floor"),
    Target("tcp-connect", "TCP connect <= 1.5 x bare", "ratio-most", 1.5),
    Target("tcp-connect", "TCP connect below strace", "below", 1, "strace"),
    Target("udp-connect", "UDP connect <= bare + 12 µs", "over", 12000),
    Target("vfork-dynamic-pinned", "dynamic exec <= floor + 60 µs, pinned", "over", 60000, "floor"),
    Target("vfork-dynamic-pinned", "dynamic exec below permanent ptrace", "below", 1, "ptrace"),
    Target("compile-cpu", "compile <= 1.06 x bare CPU", "ratio-most", 1.06),
    Target("redis-set-P1", "redis SET >= 0.98", "ratio-least", 0.98),
    Target("redis-get-P1", "redis GET >= 0.98", "ratio-least", 0.98),
    Target("redis-set-P16", "redis SET -P 16 >= 0.98", "ratio-least", 0.98),
    Target("redis-get-P16", "redis GET -P 16 >= 0.98", "ratio-least", 0.98),
    Target("nginx-keepalive", "nginx keep-alive >= 0.98", "ratio-least", 0.98),
    Target("nginx-new", "nginx new connections >= 0.98", "ratio-least", 0.98),
    Target("start", "start <= 4 x env true", "ratio-most", 4),
    Target("supervisor-rss", "supervisor <= 10 MiB with 1,000 processes", "most", 10),
]


def judge(target, samples):
    """The quartiles that the target is about, and whether it is met; None = no figures."""
    if target.kind == "over":
        found = difference(samples, target.arm, target.base)
    elif target.kind == "most":
        found = middle(samples, target.arm)
    else:
        found = ratio(samples, target.arm, target.base)
    if not found:
        return None
    value = found[1]
    met = value >= target.limit if target.kind == "ratio-least" else value <= target.limit
    return found, met


# ---- for people -------------------------------------------------------------------------


def amount(value, unit):
    """1234.5 ns = "1.23 µs"."""
    if unit == "MiB":
        return f"{value:.1f} MiB"
    if unit == "/s":
        return f"{value / 1000:.1f}k/s"
    ns = value * (1e9 if unit == "s" else 1)
    for size, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if abs(ns) >= size:
            return f"{ns / size:.3g} {name}"
    return f"{ns:.0f} ns"


def factor(found):
    """Median and half of the distance between the quartiles."""
    if not found:
        return "-"
    low, value, high = found
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} ±{(high - low) / 2:.{digits}f}"


def lines_of(cells):
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        yield "  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                        for i, (text, width) in enumerate(zip(row, widths))).rstrip()


def ratio_table(rows, samples, arms):
    shown = [arm for arm in arms if any(samples[row.name].get(arm) for row in rows)]
    cells = [["", "bare", *("A/A" if arm == "again" else arm for arm in shown if arm != "bare")]]
    for row in rows:
        taken = samples[row.name]
        bare = middle(taken, "bare")
        line = [row.name + (" (more is better)" if row.more_is_better else "")]
        line.append(amount(bare[1], row.unit) if bare else "-")
        for arm in shown:
            if arm == "bare":
                continue
            own = middle(taken, arm)
            line.append(factor(ratio(taken, arm)) if bare else
                        amount(own[1], row.unit) if own else "-")
        if len(line) > 2 and any(cell != "-" for cell in line[1:]):
            cells.append(line)
    return list(lines_of(cells))


def floor_table(rows, samples, floors):
    """In time, not ratios: how far guard is from what the kernel's mechanism takes."""
    cells = [["", "floor is", "bare", "floor", "guard", "block", "guard-bare", "guard-floor",
              "block-floor"]]
    for row in rows:
        taken = samples[row.name]
        if row.name not in floors or not taken.get("floor"):
            continue

        def show(found, unit=row.unit):
            return amount(found[1], unit) if found else "-"

        cells.append([row.name, " ".join(floors[row.name]),
                      *(show(middle(taken, arm)) for arm in ("bare", "floor", "guard", "block")),
                      show(difference(taken, "guard", "bare")),
                      show(difference(taken, "guard", "floor")),
                      show(difference(taken, "block", "floor"))])
    return list(lines_of(cells)) if len(cells) > 1 else []


def target_table(rows, samples):
    units = {row.name: row.unit for row in rows}
    cells = []
    for target in TARGETS:
        verdict = judge(target, samples.get(target.row, {}))
        if not verdict:
            cells.append([target.text, "not measured", ""])
            continue
        found, met = verdict
        figures = [amount(value, units[target.row]) if target.kind in ("over", "most")
                   else f"{value:.3f}" for value in found]
        cells.append([target.text, "met" if met else "MISSED",
                      f"{figures[1]}  [{figures[0]} .. {figures[2]}]"])
    return list(lines_of(cells))


# ---- for machines -------------------------------------------------------------------------


def spread(found):
    return {"q1": found[0], "median": found[1], "q3": found[2]} if found else None


def as_json(rows, samples, floors):
    out = []
    for row in rows:
        taken = samples[row.name]
        arms = {}
        for arm, values in taken.items():
            arms[arm] = {**spread(middle(taken, arm)),
                         "samples": [values[k] for k in sorted(values)],
                         "rounds": sorted(values),
                         "ratio": spread(ratio(taken, arm)),
                         "over_bare": spread(difference(taken, arm, "bare")),
                         "over_floor": spread(difference(taken, arm, "floor"))}
        out.append({"name": row.name, "unit": row.unit, "more_is_better": row.more_is_better,
                    "floor": " ".join(floors[row.name]) if row.name in floors else None,
                    "arms": arms})
    return out


def targets_json(samples):
    out = []
    for target in TARGETS:
        verdict = judge(target, samples.get(target.row, {}))
        out.append({"text": target.text, "row": target.row, "limit": target.limit,
                    "value": spread(verdict[0]) if verdict else None,
                    "met": verdict[1] if verdict else None})
    return out
