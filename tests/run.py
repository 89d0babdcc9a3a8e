#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every check there is, and one line of counts at the end. `./dev test` has set everything up.

A suite of TAP programs counts each point; a check with nothing but an exit code counts as one test.
Nothing is counted that did not run: a build that fails, a program that crashes or prints no plan
is a failure of its own. Full output of everything is in build/test-logs.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import tap

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test-logs"
SANITIZER_ENV = {
  "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
  "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


def run(name, argv, seconds, env=None):
  """Runs it in a process group of its own, so that nothing survives it. Returns (status, stdout,
  stderr); the status is None if it ran out of time."""
  out_path, err_path = LOGS / f"{name}.out", LOGS / f"{name}.err"
  with open(out_path, "wb") as out, open(err_path, "wb") as err:
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                               env={**os.environ, **(env or {})}, start_new_session=True)
    try:
      status = process.wait(seconds)
    except subprocess.TimeoutExpired:
      status = None
    finally:
      try:
        os.killpg(process.pid, signal.SIGKILL)
      except ProcessLookupError:
        pass
      process.wait()
  return status, out_path.read_text(errors="replace"), err_path.read_text(errors="replace")


# ---- Kinds of suite ----

def program(name, argv, seconds, env=None):
  """A program that prints TAP: every point counts."""
  status, out, err = run(name, argv, seconds, env)
  return tap.count(out, status, err)


def check(name, argv, seconds, env=None):
  """A program whose exit code is all it says: one test."""
  status, out, err = run(name, argv, seconds, env)
  result = tap.Count()
  if status == 0:
    result.passed = 1
  else:
    what = "ran out of time" if status is None else f"exit code {status}"
    said = [line for line in (out + err).splitlines() if not line.startswith("ok ")]
    result.fail(what, "\n".join(said[-tap.DETAIL_LINES:]))
  return result


def build(name, folder):
  result = check(name, ["ninja", "-C", folder, "--quiet", "-k", "20"], 900)
  result.passed = 0  # compiling proves nothing by itself; failing to does
  return result


def meson_suite(name, folder, env=None, slower=1):
  """The unit tests: meson runs them side by side and keeps what each printed."""
  log = ROOT / folder / "meson-logs" / "testlog.json"
  log.unlink(missing_ok=True)
  argv = ["meson", "test", "-C", folder, "--no-rebuild", "--timeout-multiplier", str(slower)]
  _, out, err = run(name, argv, 600, env)
  result = tap.Count()
  if not log.exists():
    result.fail("meson ran no test", (out + err)[-4000:])
    return result
  shutil.copy(log, LOGS / f"{name}.json")
  for line in log.read_text(errors="replace").splitlines():
    test = json.loads(line)
    status = None if test["result"] == "TIMEOUT" else test["returncode"]
    one = tap.count(test.get("stdout") or "", status, test.get("stderr") or "")
    if one.failed == 0 and test["result"] not in ("OK", "SKIP"):
      one.fail(f"meson says {test['result']}", test.get("stderr") or "")
    result.add(one, test["name"])
  return result


# ---- The run ----

def suites():
  sanitized = SANITIZER_ENV
  yield "build", lambda: build("build", "build")
  yield "unit", lambda: meson_suite("unit", "build")
  yield "build-sanitized", lambda: build("build-sanitized", "build-asan")
  yield "unit-sanitized", lambda: meson_suite("unit-sanitized", "build-asan", sanitized, 4)
  yield "counting", lambda: check("counting", [sys.executable, "tests/tap.py"], 20)
  yield "boundary-rules", lambda: check("boundary-rules", ["tests/boundaries.sh", "--self-test"], 120)
  yield "boundaries", lambda: check("boundaries", ["tests/boundaries.sh"], 60)
  yield "lint", lambda: check("lint", ["tests/lint.sh"], 800)
  if (ROOT / "tests/clients/run.sh").exists():
    yield "clients", lambda: program("clients", ["tests/clients/run.sh"], 420)
  yield "quick-start", lambda: check("quick-start", ["./dev", "demo"], 120)


def main():
  shutil.rmtree(LOGS, ignore_errors=True)
  LOGS.mkdir(parents=True)
  os.environ.setdefault("CI", "true")
  total = tap.Count()
  for name, suite in suites():
    print(f"-- {name} ...", flush=True)
    start = time.monotonic()
    result = suite()
    print(f"   {result.passed} passed, {result.failed} failed, {time.monotonic() - start:.1f} s",
          flush=True)
    for problem, detail in result.problems:
      print(f"   FAILED {problem}")
      for line in detail.splitlines():
        print(f"     {line}")
    total.add(result, name)
  if total.problems:
    print("-- failed:")
    for problem, _ in total.problems:
      print(f"   {problem}")
    print(f"-- everything that was printed is in {LOGS.relative_to(ROOT)}/")
  if total.skipped:
    print(f"-- skipped: {total.skipped}")
  print(f"{total.passed} passed, {total.failed} failed")
  return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
  sys.exit(main())
