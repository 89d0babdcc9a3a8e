# SPDX-License-Identifier: Apache-2.0
"""What ./dev bench found, as Markdown. Every figure is from the run at hand."""

import datetime
import os
import platform
import re
import statistics
import subprocess

median = statistics.median


def ratios(ours, theirs, value):
  """Median over the rounds of our value to theirs in the same round."""
  return median(value(a) / value(b) for a, b in zip(ours, theirs))


def added(ours, direct, value):
  return median(value(a) - value(b) for a, b in zip(ours, direct))


def percentile(ordered, percent):
  return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def rows(head, body):
  lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
  return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table(results):
  """The router beside nginx."""
  targets = results["targets"]
  direct, nginx = targets["direct"], targets["nginx"]
  columns = [nginx, targets["process"], targets["power"]]

  def line(title, cell):
    return [title, *(cell(target) for target in columns)]

  def ratio(side, value):
    return lambda t: f"{ratios(getattr(t, side), getattr(nginx, side), value):.2f}"

  def extra(value):
    return lambda t: f"{added(t.latency, direct.latency, value):.0f} µs"

  return rows(["", "nginx `proxy_pass`", "agent-store `process`", "agent-store `power`"], [
    line("requests/s, to nginx", ratio("load", lambda r: r.rate)),
    line("CPU per request, to nginx", ratio("load", lambda r: r.cpu_us)),
    line("requests/s", lambda t: f"{median(r.rate for r in t.load):.0f}"),
    line("CPU per request", lambda t: f"{median(r.cpu_us for r in t.load):.1f} µs"),
    line("added latency, p50", extra(lambda r: r.p50_us)),
    line("added latency, p99", extra(lambda r: r.p99_us)),
    line("resident memory, idle", lambda t: f"{t.idle_kib / 1024:.1f} MiB"),
    line("resident memory, after load", lambda t: f"{t.loaded_kib / 1024:.1f} MiB"),
  ])


def stream_table(results):
  """Streams and a translated pair, beside nginx."""
  targets = results["targets"]
  direct, nginx = targets["direct"], targets["nginx"]
  columns = [nginx, targets["process"], targets["power"]]
  events = results["many"] - results["few"]

  def line(title, cell):
    return [title, *(cell(target) for target in columns)]

  def first_byte(target):
    return f"{median(a - b for a, b in zip(target.first_us, direct.first_us)):.0f} µs"

  def per_event(target):
    return median((many.cpu_us - few.cpu_us) / events for many, few in zip(target.many, target.few))

  return rows(["", "nginx `proxy_pass`", "agent-store `process`", "agent-store `power`"], [
    line("added time to the first byte of a stream", first_byte),
    line(f"CPU per stream of {results['few']} events", lambda t: f"{median(r.cpu_us for r in t.few):.1f} µs"),
    line("CPU per further event", lambda t: f"{per_event(t):.2f} µs"),
    line("translated to Anthropic: requests/s, to nginx",
         lambda t: f"{ratios(t.translated, nginx.translated, lambda r: r.rate):.2f}"),
    line("translated to Anthropic: CPU per request",
         lambda t: f"{median(r.cpu_us for r in t.translated):.1f} µs"),
  ])


def mcp_table(mcp):
  body = [["start to the answer of `initialize`, median", f"{mcp['start'] * 1000:.1f} ms"],
          ["start to the answer of the first `tools/call`, median", f"{mcp['first'] * 1000:.1f} ms"]]
  for name, took in mcp["calls"].items():
    body.append([f"`{name}`, p50 / p99",
                 f"{percentile(took, 50) * 1e6:.0f} / {percentile(took, 99) * 1e6:.0f} µs"])
  body.append(["resident memory after the calls", f"{mcp['resident_kib'] / 1024:.1f} MiB"])
  return rows(["", ""], body)


def said(*argv):
  """First line of what a program prints about itself."""
  try:
    run = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    return run.stdout.strip().splitlines()[0]
  except (OSError, IndexError):
    return "?"


def first(path, pattern):
  with open(path, encoding="utf-8", errors="replace") as file:
    match = re.search(pattern, file.read(), re.MULTILINE)
  return match[1] if match else "?"


def machine(results):
  memory = int(first("/proc/meminfo", r"^MemTotal:\s+(\d+)")) / 1024 / 1024
  path = os.environ.get("PATH", "") + ":/usr/sbin"
  model = first("/proc/cpuinfo", r"^model name\s*: (.*)")
  nginx = subprocess.run(["nginx", "-v"], env={"PATH": path}, capture_output=True, text=True, check=False)
  return "\n".join([
    f"* {model}, {os.cpu_count()} cores, {memory:.0f} GiB memory",
    f"* {first('/etc/os-release', r'^PRETTY_NAME=.(.*).$')}, Linux {platform.release()}",
    f"* {said('gcc', '--version')}; {nginx.stderr.strip()}; {said('wrk', '-v').split(' [')[0]}",
    f"* appending 4 KiB with `fdatasync`: median {results['disk_us']:.0f} µs; `power` waits for one such"
    " (or shares it with others) before each receipt",
    f"* load average before the run: {results['busy']:.1f}",
    f"* commit {said('git', '-C', os.path.dirname(__file__), 'rev-parse', '--short', 'HEAD')},"
    f" {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
  ])


def page(results, router_table):
  books = "\n".join(
    f"* `{name}`: {book['receipts']} receipts, {book['entries']} entries, all add up; nothing is held"
    for name, book in results["books"].items())
  return f"""# Performance

Written by `./dev bench`, which measures agent-store and nginx in one run on one machine. Absolute
figures are this machine's; the ratios travel better. Run it on yours.

## The router

A chat completion of {results['request_bytes']} bytes goes through to a provider on loopback that answers {results['answer_bytes']} bytes at
once. agent-store checks the key, prices the request, holds the money, forwards, reads the usage, settles
and writes the receipt, all durably; nginx forwards.

{router_table}

`process` and `power` are the two values of `AGENT_STORE_DURABILITY`. After the load:

{books}

How: the target alone on one core, wrk and the provider on another; {results['connections']} connections;
{results['rounds']} interleaved rounds of {results['load_seconds']} s; medians, and ratios within a round. Added latency: everything on one
core, one connection, {results['rounds']} interleaved rounds of {results['latency_seconds']} s, less the direct way in the same round. CPU time is from
`/proc/PID/task/*/schedstat`. nginx: one worker, keep-alive on both sides (`tests/bench/bench.py`).

## Streams and translation

{stream_table(results)}

A stream is metered event by event and its usage is settled before its last event leaves. A translated call
comes in as a chat completion, goes out as Anthropic Messages and comes back; nginx passes the same Messages answer as
it is. First byte: one connection, {results['rounds']} interleaved rounds of {results['first_bytes']} streams, their medians, less the direct way in the
same round; a store's first byte waits for the hold to be durable. CPU: {results['connections']} connections, {results['rounds']} rounds of {results['stream_seconds']} s, all
events of a stream arriving at once; a further event is the difference of streams of {results['many']} and {results['few']}.

## MCP over stdio

{mcp_table(results['mcp'])}

{results['starts']} starts, {results['calls']} calls of each tool one after another, from a Python client over pipes, whose
own time is in the figures.

## The machine

{machine(results)}
"""
