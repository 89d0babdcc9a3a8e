#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands that open no store, as a person runs them: words in, text and exit code out.

    program.py AGENT_STORE

Prints TAP. Each case is a function whose name is its sentence."""

import json
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.path.abspath(sys.argv[1])
HOSTS = ["claude-code", "codex", "cursor", "vscode", "claude-desktop"]


class World:
  """A folder that is HOME, and the environment that a host gives: nothing but HOME and PATH."""

  def __init__(self, folder):
    self.folder = pathlib.Path(folder)

  def file(self, name, text):
    path = self.folder / name
    path.write_text(text)
    return str(path)

  def environment(self, settings):
    env = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "TERM": "xterm",
           "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
           "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", "")}
    env.update({f"AGENT_STORE_{name}": value for name, value in settings.items()})
    return env

  def run(self, *words, **settings):
    done = subprocess.run([PROGRAM, *words], env=self.environment(settings), cwd=self.folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout, done.stderr

  def start(self, *words, variables=None, **settings):
    env = {**self.environment(settings), **(variables or {})}
    return subprocess.Popen([PROGRAM, *words], env=env, cwd=self.folder,
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


class Screen:
  """The program on a terminal of its own, of 80 columns and 24 lines."""

  def __init__(self, world, *words, **settings):
    self.master, self.slave = pty.openpty()
    termios.tcsetwinsize(self.slave, (24, 80))
    self.before = termios.tcgetattr(self.slave)
    self.seen = ""
    self.process = subprocess.Popen(
      [PROGRAM, *words], env=world.environment(settings), cwd=world.folder, stdin=self.slave,
      stdout=self.slave, stderr=subprocess.PIPE, preexec_fn=self.own_terminal)

  def own_terminal(self):
    os.setsid()
    os.close(os.open(os.ttyname(self.slave), os.O_RDWR))  # makes it the controlling one

  def wait_for(self, part, seconds=20):
    end = time.monotonic() + seconds
    while part not in self.seen and time.monotonic() < end:
      if select.select([self.master], [], [], 0.1)[0]:
        self.seen += os.read(self.master, 65536).decode()
    has(self.seen, part)

  def forget(self):
    self.seen = ""

  def press(self, keys):
    os.write(self.master, keys)

  def end(self):
    """What it printed last, when it has ended and given the terminal back as it was."""
    status = self.process.wait(20)
    while select.select([self.master], [], [], 0)[0]:
      self.seen += os.read(self.master, 65536).decode()
    equal(termios.tcgetattr(self.slave), self.before)
    err = self.process.stderr.read().decode()
    self.process.stderr.close()
    os.close(self.master)
    os.close(self.slave)
    equal((status, err), (0, ""))
    assert self.seen.endswith("\x1b[?25h\x1b[?1049l"), self.seen


def equal(got, want):
  assert got == want, f"got {got!r}\nwant {want!r}"


def has(text, part):
  assert part in text, f"{part!r} is not in {text!r}"


def purchase_key(world):
  status, out, err = world.run("account", "create", "host-config", "--json")
  assert status == 0, err
  return json.loads(out)["purchaseKey"]


# ---- config check ----

def good_settings_are_ok_and_nothing_is_made(world):
  path = world.file("good.json", json.dumps({
    "LISTEN": "127.0.0.1:0", "OPENAI_API_KEY": "sk-test",
    "models": [{"id": "gpt-5.4", "prices": {"input": "2", "output": "8"}}]}))
  status, out, err = world.run("config", "check", path)
  equal((status, err), (0, ""))
  equal(out.splitlines()[0], "ok")
  has(out, f"file       {path}\n")
  has(out, "listen     127.0.0.1:0\n")
  has(out, "routes     openai, claude, claude-fast\n")
  has(out, "providers  openai (have a key)\n")
  assert "sk-test" not in out
  equal(sorted(p.name for p in world.folder.iterdir()), ["good.json"])


def programs_get_json(world):
  path = world.file("good.json", json.dumps({"ANTHROPIC_API_KEY": "sk-test"}))
  status, out, _ = world.run("config", "check", path, "--json")
  equal(status, 0)
  answer = json.loads(out)
  equal((answer["ok"], answer["file"], answer["providers"]), (True, path, ["anthropic"]))
  assert 0 < answer["callableModels"] < answer["models"]


BAD = [
  ('{"LISTEN": "8787"}', "LISTEN: must be host:port"),
  ('{"LISTEM": "none"}', "'LISTEM': no such setting"),
  ('{"LOG": 1}', "LOG: must be a string"),
  ('{"LOG": "info",}', "not valid JSON at byte"),
  ('{"models": [{"id": "x"}]}', "models[0] 'x'"),
  ('{"models": [{"id": "gpt-5.4", "prices": {"input": "a"}}]}', "models[0] 'gpt-5.4': prices.input"),
  ('{"routes": [{"alias": "r", "upstreams": [{"provider": "nobody"}]}]}', "routes[0] 'r': in 'upstreams[0]'"),
]


def each_fault_is_named_with_its_file_and_stops_the_start_too(world):
  for text, reason in BAD:
    path = world.file("bad.json", text)
    status, out, err = world.run("config", "check", path)
    equal((status, out), (2, ""))
    has(err, f"agent-store: {path}: ")
    has(err, reason)
    _, _, start = world.run("serve", "--config", path)
    equal(start, err)


def the_file_of_the_words_goes_before_that_of_the_environment(world):
  bad = world.file("bad.json", "{")
  good = world.file("good.json", "{}")
  equal(world.run("config", "check", good, CONFIG=bad)[0], 0)
  equal(world.run("config", "check", bad, CONFIG=good)[0], 2)
  equal(world.run("config", "check", CONFIG=bad)[0], 2)
  equal(world.run("config", "check", CONFIG=good)[0], 0)
  equal(world.run("--config", bad, "config", "check")[0], 2)
  equal(world.run("--log", "debug", "config", "check", good, "--listen", "none")[0], 0)


def a_file_that_is_not_there_and_words_too_many_are_refused(world):
  status, _, err = world.run("config", "check", "/nowhere.json")
  equal(status, 2)
  has(err, "/nowhere.json: cannot be opened")
  good = world.file("good.json", "{}")
  equal(world.run("config", "check", good, "more")[0], 2)
  equal(world.run("config", "check", "--markdown")[0], 2)
  equal(world.run("config", "chek")[0], 2)


# ---- host-config ----

def the_snippet_names_this_very_program_from_anywhere(world):
  link = world.folder / "linked"
  link.symlink_to(PROGRAM)
  done = subprocess.run(["./linked", "host-config", "cursor", "--json"], cwd=world.folder,
                        env={"HOME": str(world.folder)}, capture_output=True, text=True, check=True)
  equal(json.loads(done.stdout)["server"]["command"], os.path.realpath(PROGRAM))


def a_key_is_printed_only_if_it_is_given(world):
  key = purchase_key(world)
  file = world.file("with-key.json", json.dumps({"AGENT_API_KEY": key}))
  for host in HOSTS:
    equal(world.run("host-config", host)[1].count("ask_live_0"), 0)
    _, out, _ = world.run("host-config", host, CONFIG=file)
    assert key not in out, host
    has(out, file)
    for run in (world.run("host-config", host, "--key", key),
                world.run("host-config", host, f"--key={key}"),
                world.run("host-config", host, "--agent-api-key", key),
                world.run("host-config", host, AGENT_API_KEY=key)):
      equal(run[0], 0)
      has(run[1], key)


def what_is_no_purchase_key_is_refused(world):
  for key in ("", "ask_live_short", purchase_key(world)[:-1] + "#"):
    status, out, err = world.run("host-config", "codex", "--key", key)
    equal((status, out), (2, ""))
    has(err, "no purchase key")


def settings_of_this_run_are_carried_but_no_other_secret(world):
  _, out, _ = world.run("--db", "my.db", "host-config", "claude-desktop", "--json",
                        LISTEN="none", OPENAI_API_KEY="sk-secret", ADMIN_TOKEN="tok-secret")
  equal(json.loads(out)["server"]["env"], {
    "AGENT_STORE_AGENT_API_KEY": "ask_live_...",
    "AGENT_STORE_DB": str(world.folder / "my.db"), "AGENT_STORE_LISTEN": "none"})
  assert "secret" not in out


def the_command_is_one_that_a_shell_takes_apart_again(world):
  key = purchase_key(world)
  db = str(world.folder / "a b'c.db")
  _, out, _ = world.run("--db", db, "host-config", "claude-code", "--key", key, "--json")
  script = 'claude() { printf "%s\\n" "$@"; }; ' + json.loads(out)["shellCommand"]
  words = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
  equal(words.splitlines(), [
    "mcp", "add", "--scope", "user", "agent-store",
    "--env", f"AGENT_STORE_AGENT_API_KEY={key}", "--env", f"AGENT_STORE_DB={db}",
    "--", os.path.realpath(PROGRAM), "mcp"])


def wrong_words_are_usage_errors(world):
  for words in ([], ["emacs"], ["codex", "cursor"], ["codex", "--jsn"], ["codex", "--key"]):
    status, out, err = world.run("host-config", *words)
    equal((status, out), (2, ""))
    has(err, "agent-store: ")


# ---- top ----

def serving(world):
  server = world.start("serve", "--listen", "127.0.0.1:0")
  line = ""
  while "event=listening" not in line:
    line = server.stderr.readline()
    assert line, "the server ended"
  return server


def end_server(server):
  server.terminate()
  server.stderr.read()
  server.stderr.close()
  equal(server.wait(20), 0)


def one_frame_for_scripts_and_programs(world):
  purchase_key(world)
  status, out, err = world.run("top", "--once")
  equal((status, err), (0, ""))
  has(out, "no server runs: these are the books alone\n")
  has(out, "ACCOUNT      WALLET  CREDIT  HELD  CHANGE\nhost-config    0.00    0.00  0.00       -\n")
  assert "\x1b" not in out
  server = serving(world)
  try:
    _, out, _ = world.run("top")  # no terminal: once is meant
    has(out, f"pid {server.pid}, ")
    has(out, "in flight 0  last 60 s: 0.0 requests/s")
    answer = json.loads(world.run("top", "--once", "--json")[1])
    equal(answer["server"]["pid"], server.pid)
    equal(answer["books"]["totals"]["accounts"], 1)
    equal(json.loads(world.run("status", "--json")[1])["server"]["requestsInFlight"], 0)
  finally:
    end_server(server)


def it_goes_on_until_q_and_gives_the_terminal_back(world):
  server = serving(world)
  try:
    screen = Screen(world, "top")
    screen.wait_for("\x1b[?1049h\x1b[?25l")
    screen.wait_for(f"pid {server.pid}, ")
    screen.forget()
    screen.wait_for("\x1b[H")  # the next second
    equal(world.run("account", "create", "newcomer")[0], 0)
    screen.wait_for("newcomer")
    screen.press(b"q")
    screen.end()
  finally:
    end_server(server)


def an_interrupt_and_a_hang_up_end_it_too(world):
  for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    screen = Screen(world, "top")
    screen.wait_for("no server runs")
    screen.process.send_signal(number)
    screen.end()
  screen = Screen(world, "top")
  screen.wait_for("no server runs")
  screen.press(b"\x03")  # what Ctrl-C sends
  screen.end()


def a_resized_terminal_is_drawn_again_at_its_size(world):
  screen = Screen(world, "top")
  screen.wait_for("these are the books alone")
  screen.forget()
  termios.tcsetwinsize(screen.slave, (24, 20))
  screen.wait_for("agent-store  " + time.strftime("%Y-%m", time.gmtime()) + "\x1b[K")
  screen.press(b"q")
  screen.end()


def a_server_can_start_and_end_beside_it(world):
  screen = Screen(world, "top")
  screen.wait_for("no server runs")
  server = serving(world)
  try:
    screen.forget()
    screen.wait_for(f"pid {server.pid}, ")
  finally:
    end_server(server)
  screen.forget()
  screen.wait_for("no server runs")
  screen.press(b"q")
  screen.end()


def a_stopped_server_is_told_and_waited_for(world):
  server = serving(world)
  try:
    screen = Screen(world, "top")
    screen.wait_for(f"pid {server.pid}, ")
    server.send_signal(signal.SIGSTOP)
    screen.wait_for("owns the store and does not answer", 30)
    server.send_signal(signal.SIGCONT)
    screen.forget()
    screen.wait_for(f"pid {server.pid}, ")
    screen.press(b"q")
    screen.end()
  finally:
    server.send_signal(signal.SIGCONT)
    end_server(server)


def words_of_top_that_are_none_are_refused(world):
  status, _, err = world.run("top", "--twice")
  equal(status, 2)
  has(err, "unexpected word '--twice'")


# ---- As a service ----

class Manager:
  """The end of NOTIFY_SOCKET that systemd has."""

  def __init__(self, world):
    self.path = str(world.folder / "notify")
    self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    self.socket.bind(self.path)
    self.socket.settimeout(20)

  def hears(self):
    return self.socket.recv(4096).decode()


def a_service_says_when_it_is_ready_alive_and_ending(world):
  manager = Manager(world)
  variables = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "600000"}
  server = world.start("serve", "--listen", "127.0.0.1:0", variables=variables)
  told = []
  while told.count("WATCHDOG=1") < 2 or told.count("WATCHDOG=1") == len(told):
    told.append(manager.hears())
  ready = [text for text in told if text != "WATCHDOG=1"]
  equal(len(ready), 1)
  has(ready[0], "READY=1\nSTATUS=listening on 127.0.0.1:")
  port = int(ready[0].rpartition(":")[2])
  socket.create_connection(("127.0.0.1", port), 5).close()  # ready was the truth
  standby = world.start("serve", variables={"NOTIFY_SOCKET": manager.path})
  while (text := manager.hears()) == "WATCHDOG=1":
    pass
  equal(text, "READY=1\nSTATUS=standby: another process owns the store")
  end_server(standby)
  while (text := manager.hears()) == "WATCHDOG=1":
    pass
  equal(text, "STOPPING=1")
  end_server(server)
  while (text := manager.hears()) == "WATCHDOG=1":
    pass
  equal(text, "STOPPING=1")
  manager.socket.close()


def a_command_tells_the_service_manager_nothing(world):
  manager = Manager(world)
  command = world.start("account", "list", variables={"NOTIFY_SOCKET": manager.path})
  end_of = command.communicate(timeout=20)
  equal((command.returncode, end_of[1]), (0, ""))
  manager.socket.setblocking(False)
  try:
    raise AssertionError(f"it said {manager.hears()}")
  except BlockingIOError:
    pass
  manager.socket.close()


# ---- What is installed beside it ----

def usage_lines(world):
  _, out, _ = world.run("--help")
  return [line.split()[1:] for line in out.splitlines() if line.startswith("  agent-store ")]


def the_manual_page_has_every_command_and_flag(world):
  page = (ROOT / "docs/agent-store.1").read_text().replace("\\-", "-").replace("\\fB", "")
  for words in usage_lines(world):
    plain = [w for w in words if w.isalpha() and w.islower()]
    has(page, "agent-store " + " ".join(plain))
    for flag in (w.strip("[]") for w in words if w.strip("[]").startswith("--")):
      has(page, flag)


def the_manual_page_of_the_settings_has_them_all(world):
  page = (ROOT / "docs/agent-store.conf.5").read_text().replace("\\-", "-")
  settings = json.loads(world.run("config", "--json")[1])["settings"]
  assert len(settings) > 10
  for setting in settings:
    has(page, f'.BR {setting["key"]} ", " AGENT_STORE_{setting["key"]} ", " --')


COMPLETIONS = [
  ("agent-store", "acc", "account"),
  ("agent-store account", "", "create list policy show"),
  ("agent-store account policy acme", "--max", "--max-purchase-usd"),
  ("agent-store usage acme --by", "", "model key day"),
  ("agent-store host-config", "c", "claude-code claude-desktop codex cursor"),
  ("agent-store --db /x.db key", "r", "revoke rotate"),
  ("agent-store config", "", "check"),
  ("agent-store config check", "/et", "/etc"),
  ("agent-store backup", "/et", "/etc"),
  ("agent-store --config", "/et", "/etc"),
  ("agent-store", "--lis", "--listen"),
  ("agent-store top", "--on", "--once"),
  ("agent-store account create", "", ""),
]


def bash_completes_words_flags_values_and_files(world):
  (world.folder / "agent-store").symlink_to(PROGRAM)
  script = """
    source "$1"; PATH=$2:$PATH; read -ra COMP_WORDS <<<"$3"; COMP_WORDS+=("$4")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _agent_store; echo "${COMPREPLY[*]}" """
  for before, current, want in COMPLETIONS:
    done = subprocess.run(
      ["bash", "--norc", "-c", script, "bash", str(ROOT / "packaging/agent-store.bash"),
       str(world.folder), before, current], env=world.environment({}), capture_output=True,
      text=True, timeout=20, check=True)
    equal((before, sorted(done.stdout.split())), (before, sorted(want.split())))


def the_example_configuration_is_good(world):
  path = str(ROOT / "packaging/agent-store.json")
  status, out, err = world.run("config", "check", path)
  equal((status, err), (0, ""))
  has(out, "db         /var/lib/agent-store/store.db\n")


def main():
  cases = [f for f in globals().values()
           if callable(f) and f.__module__ == "__main__" and getattr(f, "__code__", None)
           and f.__code__.co_varnames[:1] == ("world",) and f.__name__ not in ("purchase_key", "serving", "usage_lines")]
  failed = 0
  print(f"1..{len(cases)}", flush=True)
  for number, case in enumerate(cases, 1):
    with tempfile.TemporaryDirectory(prefix="agent-store-test-") as folder:
      try:
        case(World(folder))
        result = "ok"
      except (AssertionError, KeyError, ValueError, OSError, subprocess.SubprocessError) as problem:
        result = "not ok"
        failed += 1
        for line in f"{type(problem).__name__}: {problem}".splitlines():
          print(f"# {line}")
    print(f"{result} {number} - {case.__name__.replace('_', ' ')}", flush=True)
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
