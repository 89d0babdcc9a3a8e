#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench.py BUILD: agent-store beside nginx on this machine, in one run; writes docs/performance.md.

Machines are noisy and differ, so rounds of all targets are interleaved and what counts are ratios
within a round; the table has the median over the rounds. Nothing in it comes from elsewhere.
"""

import http.client
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from local_shop import ROOT, Failure, Shop, wait_for  # noqa: E402
from local_shop import http as call  # noqa: E402
from mcp_client import McpClient  # noqa: E402
import report  # noqa: E402

ROUNDS = 5
LOAD_SECONDS = 2
LATENCY_SECONDS = 1
STREAM_SECONDS = 1
FEW, MANY = 10, 210  # events with text, in a short and in a long stream
FIRST_BYTES = 60  # streams whose first byte is timed, in each round
CONNECTIONS = 32
REQUEST_BYTES = 1900
ANSWER_BYTES = 568
STARTS = 20
CALLS = 2000
CORES = sorted(os.sched_getaffinity(0))


# ---- What is measured ----

@dataclass
class Round:
  requests: int
  seconds: float
  p50_us: int
  p99_us: int
  cpu_us: float  # of the target, per request

  @property
  def rate(self):
    return self.requests / self.seconds


@dataclass
class Job:
  """What is asked: where nginx and the provider have it, and the body, whose model tells a store."""
  path: str
  body: pathlib.Path


@dataclass
class Target:
  name: str
  url: str  # of the root, or a store's base URL
  key: str = "none"
  pid: int = 0  # 0: nothing stands between
  shop: Shop = None
  service: str = ""
  idle_kib: int = 0
  loaded_kib: int = 0
  load: list = field(default_factory=list)
  latency: list = field(default_factory=list)
  few: list = field(default_factory=list)
  many: list = field(default_factory=list)
  translated: list = field(default_factory=list)
  first_us: list = field(default_factory=list)  # to the first byte of a stream; a median for each round

  def place(self, job):
    return self.url + ("/chat/completions" if self.shop else job.path)


def family(pid):
  """The process and its children (nginx has a master and a worker)."""
  children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
  return [pid, *map(int, children)]


def threads(pid):
  return [int(task) for one in family(pid) for task in os.listdir(f"/proc/{one}/task")]


def pin(pid, core):
  for thread in threads(pid):
    os.sched_setaffinity(thread, {core})


def cpu_us(pid):
  """Microseconds that the process has run, of all its threads."""
  total = 0
  for one in family(pid):
    for task in pathlib.Path(f"/proc/{one}/task").iterdir():
      total += int((task / "schedstat").read_text().split()[0])
  return total / 1000


def resident_kib(pid):
  return sum(int(line.split()[1]) for one in family(pid)
             for line in pathlib.Path(f"/proc/{one}/status").read_text().splitlines()
             if line.startswith("VmRSS:"))


def wrk(target, job, connections, seconds, core):
  before = cpu_us(target.pid) if target.pid else 0
  run = subprocess.run(
    ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
     "-s", HERE / "chat.lua", target.place(job)],
    env={**os.environ, "BENCH_BODY": str(job.body), "BENCH_KEY": target.key},
    capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=seconds + 60)
  after = cpu_us(target.pid) if target.pid else 0
  figures = [line.split()[1:] for line in run.stdout.splitlines() if line.startswith("figures ")]
  if run.returncode != 0 or not figures:
    raise Failure(f"wrk against {target.name}: {run.stdout}{run.stderr}")
  requests, us, errors, p50, p99 = map(int, figures[0])
  if errors or not requests:
    raise Failure(f"{target.name}: {errors} errors in {requests} requests: {run.stdout}")
  return Round(requests, us / 1e6, p50, p99, (after - before) / requests)


# ---- The machines in the experiment ----

def chat_request(model, stream=False):
  """A request of a usual size: a system prompt, a question, a limit on the answer."""
  request = {"model": model, "max_completion_tokens": 256, "stream": stream, "messages": [
    {"role": "system", "content": ""},
    {"role": "user", "content": "Summarize the deployment status of all regions in two sentences."}]}
  padding = "You are the assistant of an operations team. Be concise and name your sources. "
  missing = REQUEST_BYTES - len(json.dumps(request))
  request["messages"][0]["content"] = (padding * (missing // len(padding) + 1))[:missing]
  return json.dumps(request)


def answer_text(bare):
  """Words that bring an answer to its size."""
  padding = "Deployment is healthy. All regions are green and queue depth is normal. "
  missing = ANSWER_BYTES - len(json.dumps(bare))
  return (padding * (missing // len(padding) + 1))[:missing]


def chat_answer():
  answer = {
    "id": "chatcmpl-bench", "object": "chat.completion", "created": 1767225600, "model": "gpt-5.4",
    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None,
                 "message": {"role": "assistant", "content": "", "refusal": None}}],
    "usage": {"prompt_tokens": 412, "completion_tokens": 38, "total_tokens": 450,
              "prompt_tokens_details": {"cached_tokens": 0},
              "completion_tokens_details": {"reasoning_tokens": 0}}}
  answer["choices"][0]["message"]["content"] = answer_text(answer)
  return json.dumps(answer)


def message_answer():
  answer = {
    "id": "msg_bench", "type": "message", "role": "assistant", "model": "claude-haiku-4-5-20251001",
    "content": [{"type": "text", "text": ""}], "stop_reason": "end_turn", "stop_sequence": None,
    "usage": {"input_tokens": 412, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
              "output_tokens": 38, "service_tier": "standard"}}
  answer["content"][0]["text"] = answer_text(answer)
  return json.dumps(answer)


def chat_stream(model, events):
  """A whole stream: a chunk with the role, so many with text, the finish, the usage, the end."""
  def chunk(choices, usage=None):
    return "data: " + json.dumps({
      "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1767225600, "model": model,
      "choices": choices, "usage": usage}) + "\n\n"

  def choice(delta, finish=None):
    return chunk([{"index": 0, "delta": delta, "finish_reason": finish}])

  usage = {"prompt_tokens": 412, "completion_tokens": events, "total_tokens": 412 + events}
  return "".join([choice({"role": "assistant", "content": ""}), choice({"content": " healthy"}) * events,
                  choice({}, "stop"), chunk([], usage), "data: [DONE]\n\n"])


def make_jobs(folder):
  """What is asked, by name. The bodies are files for wrk."""
  asked = {"whole": ("/v1/chat/completions", chat_request("gpt-5.4")),
           "few": ("/few/v1/chat/completions", chat_request("gpt-5.4-mini", stream=True)),
           "many": ("/many/v1/chat/completions", chat_request("gpt-5.4-nano", stream=True)),
           "translated": ("/v1/messages", chat_request("claude-haiku-4-5"))}
  jobs = {}
  for name, (path, body) in asked.items():
    jobs[name] = Job(path, folder / f"{name}.json")
    jobs[name].body.write_text(body)
  return jobs


def store_config(folder, provider):
  """A route whose models are those of the jobs, each at its place of the provider."""
  def upstream(name, models, path):
    return {"name": name, "provider": "openai", "apiKey": "bench", "baseUrl": f"{provider}{path}/v1",
            "models": models}

  routes = [{"alias": "openai", "upstreams": [
    upstream("whole", ["gpt-5.4"], ""), upstream("few", ["gpt-5.4-mini"], "/few"),
    upstream("many", ["gpt-5.4-nano"], "/many"),
    {"name": "messages", "provider": "anthropic", "apiKey": "bench", "baseUrl": provider,
     "models": ["claude-haiku-4-5"]}]}]
  path = folder / "routes.json"
  path.write_text(json.dumps({"routes": routes}))
  path.chmod(0o600)
  return path


def nginx(shop, name, server, port, core):
  """Starts an nginx of its own folder with this server block; returns its process id."""
  binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
  folder = shop.folder / name
  folder.mkdir()
  conf = (HERE / "nginx.conf.in").read_text()
  for word, value in {"@USER@": "user root;" if os.geteuid() == 0 else "", "@FOLDER@": str(folder),
                      "@SERVER@": server}.items():
    conf = conf.replace(word, value)
  (folder / "nginx.conf").write_text(conf)
  process = shop.start(["taskset", "-c", str(core), binary, "-e", folder / "nginx.log",
                        "-c", folder / "nginx.conf"], log=f"{name}.log")
  wait_for(lambda: listens(port), process, shop.folder / f"{name}.log")
  return process.pid


def listens(port):
  with socket.socket() as s:
    return s.connect_ex(("127.0.0.1", port)) == 0


def free_port():
  with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    return s.getsockname()[1]


def start_nginx_pair(shop):
  """The provider and, in front of it, the yardstick."""
  upstream, proxy = free_port(), free_port()
  answers = {"/": chat_answer(), "/v1/messages": message_answer()}
  locations = ""
  for place, text in answers.items():
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    locations += f"\n\t\tlocation {place} {{ return 200 '{quoted}'; }}"
  for name, text in {"few": chat_stream("gpt-5.4-mini", FEW), "many": chat_stream("gpt-5.4-nano", MANY)}.items():
    # Too long to stand in nginx's configuration; a file is served to GET only, which this redirect is.
    (shop.folder / f"{name}.txt").write_text(text)
    locations += f"""
		location /{name}/ {{ error_page 405 =200 /{name}.txt; return 405; }}
		location = /{name}.txt {{ root {shop.folder}; types {{}} default_type text/event-stream; }}"""
  nginx(shop, "provider", f"""
	server {{
		listen 127.0.0.1:{upstream} backlog=1024;{locations}
	}}""", upstream, CORES[-1])
  pid = nginx(shop, "proxy", f"""
	upstream provider {{
		server 127.0.0.1:{upstream};
		keepalive 64;
	}}
	server {{
		listen 127.0.0.1:{proxy} backlog=1024;
		location / {{
			proxy_pass http://provider;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
		}}
		location ~ ^/(few|many)/ {{
			proxy_pass http://provider;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_buffering off;
		}}
	}}""", proxy, CORES[0])
  direct = Target("direct", f"http://127.0.0.1:{upstream}")
  return direct, Target("nginx", f"http://127.0.0.1:{proxy}", pid=pid)


def start_store(shop, durability):
  """Starts a server, buys credit and a key from it as an agent does."""
  account = shop.command("account", "create", "bench")
  shop.command("wallet", "fund", "bench", "10000", "--reference", "bench")
  port = free_port()
  shop.settings |= {"AGENT_API_KEY": account["purchaseKey"], "LISTEN": f"127.0.0.1:{port}"}
  process = shop.start(["taskset", "-c", str(CORES[0]), shop.binary, "serve"], shop.env())
  wait_for(lambda: listens(port), process, shop.folder / "log")
  with McpClient([shop.binary, "mcp"], shop.env()) as mcp:
    mcp.handshake()
    bought = mcp.tool("purchase_create", catalogItemId="cat_router_credit_001", quantity=1,
                      configuration={"creditAmountUsd": 10000}, idempotencyKey="bench")
    service = bought["service"]["id"]
    key = mcp.tool("router_api_key_create", serviceId=service, label="bench")["apiKey"]
  status, _, said = call("GET", key["baseUrl"] + "/models", key["secret"])
  if status != 200:
    raise Failure(f"the router does not answer: {said}")
  return Target(durability, key["baseUrl"], key["secret"], process.pid, shop, service,
                idle_kib=resident_kib(process.pid))


# ---- The experiment ----

def measure(targets, job):
  say("throughput", f"{CONNECTIONS} connections, {ROUNDS} rounds of {LOAD_SECONDS} s each")
  for target in targets:
    wrk(target, job, CONNECTIONS, 1, CORES[-1])
  for _ in range(ROUNDS):
    for target in targets:
      target.load.append(wrk(target, job, CONNECTIONS, LOAD_SECONDS, CORES[-1]))
  for target in targets:
    target.loaded_kib = resident_kib(target.pid) if target.pid else 0


def measure_more(targets, jobs):
  """Streams of two lengths, and answers that a store has to translate."""
  say("streams, translation", f"{CONNECTIONS} connections, {ROUNDS} rounds of {STREAM_SECONDS} s each")
  for _ in range(ROUNDS):
    for target in targets:
      for name in ("few", "many", "translated"):
        getattr(target, name).append(wrk(target, jobs[name], CONNECTIONS, STREAM_SECONDS, CORES[-1]))


def measure_first_bytes(targets, job):
  say("first byte", f"one connection, {ROUNDS} rounds of {FIRST_BYTES} streams each")
  body = job.body.read_bytes()
  for _ in range(ROUNDS):
    for target in targets:
      target.first_us.append(statistics.median(first_bytes(target, job, body)))


def first_bytes(target, job, body):
  """Yields microseconds from each request to the first byte of its stream."""
  _, _, host, path = target.place(job).split("/", 3)
  connection = http.client.HTTPConnection(host)
  headers = {"Content-Type": "application/json", "Authorization": f"Bearer {target.key}"}
  for _ in range(FIRST_BYTES):
    begin = time.perf_counter()
    connection.request("POST", "/" + path, body, headers)
    answer = connection.getresponse()
    byte = answer.read(1)
    yield (time.perf_counter() - begin) * 1e6
    if answer.status != 200 or byte + answer.read()[:4] != b"data:":
      raise Failure(f"{target.name}: a stream that is none")
  connection.close()


def measure_latency(targets, provider_pids, job):
  """All on one core, one connection: what is added, without the wake-ups of another core."""
  say("latency", f"one connection, one core, {ROUNDS} rounds of {LATENCY_SECONDS} s each")
  core = CORES[0]
  for pid in provider_pids:
    pin(pid, core)
  for _ in range(ROUNDS):
    for target in targets:
      target.latency.append(wrk(target, job, 1, LATENCY_SECONDS, core))


def prove_books(target):
  """The load has left correct books and no hold."""
  with McpClient([target.shop.binary, "mcp"], target.shop.env()) as mcp:
    mcp.handshake()
    deadline = time.monotonic() + 30
    while float(held := router_of(mcp, target)["heldUsd"]) and time.monotonic() < deadline:
      time.sleep(0.2)
    left = router_of(mcp, target)["creditBalanceUsd"]
  if float(held):
    raise Failure(f"{target.name}: {held} USD are still held")
  verdict = target.shop.command("ledger", "verify")["verdict"]
  if not verdict["ok"]:
    raise Failure(f"{target.name}: {verdict['problem']}")
  requests = target.shop.command("usage", "bench")["total"]["requests"]
  rounds = target.load + target.latency + target.few + target.many + target.translated
  seen = sum(r.requests for r in rounds)
  if requests < seen:
    raise Failure(f"{target.name}: {seen} answers, but {requests} receipts")
  return {"receipts": verdict["receipts"], "entries": verdict["entries"], "left": left}


def router_of(mcp, target):
  return mcp.tool("service_get", serviceId=target.service)["service"]["router"]


def measure_mcp(shop):
  """Over stdio, with nobody else on the store."""
  say("mcp", f"{STARTS} starts, {CALLS} calls of each tool")
  account = shop.command("account", "create", "bench")
  env = shop.env(AGENT_API_KEY=account["purchaseKey"])
  starts, firsts, calls = [], [], {}
  for _ in range(STARTS):
    begin = time.perf_counter()
    with McpClient([shop.binary, "mcp"], env) as mcp:
      mcp.handshake()
      starts.append(time.perf_counter() - begin)
      mcp.tool("wallet_get")
      firsts.append(time.perf_counter() - begin)
  with McpClient([shop.binary, "mcp"], env) as mcp:
    mcp.handshake()
    for name, arguments in (("catalog_search", {"q": "router credits", "limit": 1}), ("wallet_get", {})):
      took = []
      for _ in range(CALLS + 200):
        begin = time.perf_counter()
        mcp.tool(name, **arguments)
        took.append(time.perf_counter() - begin)
      calls[name] = sorted(took[200:])
    resident = resident_kib(mcp.process.pid)
  return {"start": statistics.median(starts), "first": statistics.median(firsts), "calls": calls,
          "resident_kib": resident}


def measure_disk(folder):
  """Median microseconds of a 4 KiB append with fdatasync: what `power` waits for."""
  took = []
  with open(folder / "sync", "wb", buffering=0) as file:
    for _ in range(200):
      begin = time.perf_counter()
      file.write(b"x" * 4096)
      os.fdatasync(file.fileno())
      took.append((time.perf_counter() - begin) * 1e6)
  return statistics.median(took)


def say(what, text):
  print(f"-- {what}: {text}", flush=True)


def run(build):
  busy = os.getloadavg()[0]
  parent = pathlib.Path(build).resolve() / "bench"  # not /tmp, which may be memory: the disk is part of it
  parent.mkdir(exist_ok=True)
  with Shop(build, parent) as yard:
    direct, proxy = start_nginx_pair(yard)
    proxy.idle_kib = resident_kib(proxy.pid)
    providers = [process.pid for process in yard.processes]
    config = store_config(yard.folder, direct.url)
    with Shop(build, parent, DURABILITY="power", CONFIG=config) as power, \
         Shop(build, parent, DURABILITY="process", CONFIG=config) as process:
      stores = [start_store(power, "power"), start_store(process, "process")]
      targets = [direct, proxy, *stores]
      jobs = make_jobs(yard.folder)
      measure(targets, jobs["whole"])
      measure_more(targets[1:], jobs)
      measure_latency(targets, providers, jobs["whole"])
      measure_first_bytes(targets, jobs["few"])
      books = {target.name: prove_books(target) for target in stores}
    with Shop(build, parent, LISTEN="none") as alone:
      mcp = measure_mcp(alone)
    disk = measure_disk(yard.folder)
  return {"targets": {target.name: target for target in targets}, "books": books, "mcp": mcp,
          "disk_us": disk, "busy": busy, "request_bytes": REQUEST_BYTES, "answer_bytes": ANSWER_BYTES,
          "connections": CONNECTIONS, "rounds": ROUNDS, "load_seconds": LOAD_SECONDS,
          "latency_seconds": LATENCY_SECONDS, "stream_seconds": STREAM_SECONDS, "few": FEW, "many": MANY,
          "first_bytes": FIRST_BYTES, "starts": STARTS, "calls": CALLS}


def main():
  if len(sys.argv) != 2:
    sys.exit("usage: bench.py BUILD")
  begin = time.monotonic()
  try:
    results = run(sys.argv[1])
  except Failure as failure:
    sys.exit(f"bench: {failure}")
  table = report.table(results)
  print(f"\n{table}\n\n{report.stream_table(results)}\n\n{report.mcp_table(results['mcp'])}\n")
  page = ROOT / "docs" / "performance.md"
  page.write_text(report.page(results, table))
  print(f"-- written to {page.relative_to(ROOT)}, {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
  main()
