# SPDX-License-Identifier: Apache-2.0
"""A whole shop on this machine: a temporary folder, a simulated provider, the real programs."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Nothing but the settings may matter: this is what an agent host passes on.
HOST_ENV = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}

LISTENING = re.compile(r"^provider-sim listening on (\S+)\n", re.MULTILINE)


class Failure(Exception):
  pass


class Shop:
  """Use it in a `with`: leaving it ends every process that it started and removes the folder."""

  def __init__(self, build, parent=None, **settings):
    build = pathlib.Path(build).resolve()
    self.binary = build / "agent-store"
    self.simulator = build / "provider-sim"
    self.folder = pathlib.Path(tempfile.mkdtemp(prefix="agent-store-", dir=parent))
    self.processes = []
    self.settings = {"DB": self.folder / "store.db", "LISTEN": "127.0.0.1:0", "LOG": "error",
                     **settings}

  def __enter__(self):
    return self

  def __exit__(self, *_):
    for process in reversed(self.processes):
      stop(process)
    shutil.rmtree(self.folder, ignore_errors=True)

  def env(self, **more):
    settings = {**self.settings, **more}
    return {**HOST_ENV, **{f"AGENT_STORE_{name}": str(value) for name, value in settings.items()}}

  def command(self, *words):
    """An operator's command; returns its JSON."""
    run = subprocess.run([self.binary, *words, "--json"], env=self.env(), capture_output=True,
                         stdin=subprocess.DEVNULL, text=True, timeout=60)
    if run.returncode != 0:
      raise Failure(f"agent-store {' '.join(words)}: exit code {run.returncode}: "
                    f"{run.stderr.strip() or run.stdout.strip()}")
    return json.loads(run.stdout)

  def start(self, argv, env=None, log="log"):
    """Starts a server whose output goes to the file `log` of the folder."""
    with open(self.folder / log, "ab") as out:
      process = subprocess.Popen(argv, env=env or HOST_ENV, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=out)
    self.processes.append(process)
    return process

  def start_provider(self):
    """Starts the simulated provider; returns where it listens, "http://127.0.0.1:PORT"."""
    log = self.folder / "provider-sim.log"
    self.start([self.simulator, "--listen", "127.0.0.1:0", "--script", ROOT / "fixtures/upstream",
                "--key", "sim-key"], log=log.name)
    wait_for(lambda: LISTENING.search(log.read_text()), self.processes[-1], log)
    return "http://" + LISTENING.search(log.read_text())[1]


def wait_for(ready, process, log, seconds=10):
  """Until the process is ready; what it said is in the failure if it never is."""
  deadline = time.monotonic() + seconds
  while not ready():
    if process.poll() is not None or time.monotonic() > deadline:
      raise Failure(f"{process.args[0]} did not start: {log.read_text(errors='replace').strip()}")
    time.sleep(0.005)


def stop(process):
  if process.poll() is None:
    process.send_signal(signal.SIGTERM)
    try:
      process.wait(10)
    except subprocess.TimeoutExpired:
      process.kill()
  return process.wait()


def http(method, url, key=None, body=None):
  """Returns (status, headers, parsed JSON)."""
  request = urllib.request.Request(url, method=method)
  if key:
    request.add_header("Authorization", f"Bearer {key}")
  if body is not None:
    request.add_header("Content-Type", "application/json")
    request.data = json.dumps(body).encode()
  # No proxy of the environment stands between two ends of one machine.
  opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
  try:
    with opener.open(request, timeout=30) as answer:
      return answer.status, answer.headers, json.load(answer)
  except urllib.error.HTTPError as error:
    return error.code, error.headers, json.loads(error.read() or b"null")
