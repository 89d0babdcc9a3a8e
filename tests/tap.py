# SPDX-License-Identifier: Apache-2.0
"""Counts TAP, and believes nothing: a missing plan, a missing point, a crash are failures too.

Only points at the margin count; what is indented is detail of the next one (node prints so).
`python3 tests/tap.py` tests the counting itself and prints TAP.
"""

import re
import sys
from dataclasses import dataclass, field

POINT = re.compile(r"(not )?ok\b(?: +(\d+))?(?: *-)? *(.*)")
PLAN = re.compile(r"1\.\.(\d+)")
SKIP = re.compile(r"#\s*skip\b", re.IGNORECASE)
DETAIL_LINES = 60


@dataclass
class Count:
  passed: int = 0
  failed: int = 0
  skipped: int = 0
  problems: list = field(default_factory=list)  # (name, detail) of every failure

  def fail(self, name, detail=""):
    self.failed += 1
    self.problems.append((name, detail))

  def add(self, other, prefix):
    self.passed += other.passed
    self.failed += other.failed
    self.skipped += other.skipped
    self.problems += [(f"{prefix}: {name}", detail) for name, detail in other.problems]


def count(text, status=0, stderr=""):
  """`status` is the program's exit code, negative for a signal, None if it ran out of time."""
  result = Count()
  plan = None
  seen = 0
  detail = []
  for line in text.splitlines():
    if (match := PLAN.match(line)) and plan is None:
      plan = int(match[1])
    elif match := POINT.match(line):
      seen += 1
      name = match[3] or f"point {seen}"
      if SKIP.search(line):
        result.skipped += 1
      elif match[1]:
        result.fail(name, "\n".join(detail[-DETAIL_LINES:]))
      else:
        result.passed += 1
      detail = []
    elif line.startswith("Bail out!"):
      result.fail(line)
    else:
      detail.append(line)
  rest = "\n".join((detail + stderr.splitlines())[-DETAIL_LINES:])
  if plan is None:
    result.fail("there is no plan", rest)
  elif plan != seen:
    result.fail(f"{plan} points were planned, {seen} came", rest)
  if status is None:
    result.fail("ran out of time", rest)
  elif status < 0:
    result.fail(f"ended by signal {-status}", rest)
  elif status != 0 and result.failed == 0:
    result.fail(f"exit code {status}, although every point passed", rest)
  return result


CASES = [
  # name, text, status, (passed, failed, skipped)
  ("all points pass", "1..2\nok 1 - a\nok 2 - b\n", 0, (2, 0, 0)),
  ("the plan may come last", "ok 1 - a\n1..1\n", 0, (1, 0, 0)),
  ("a failed point", "1..2\nok 1\n# why\nnot ok 2 - b\n", 1, (1, 1, 0)),
  ("no plan", "ok 1 - a\n", 0, (1, 1, 0)),
  ("nothing at all", "", 0, (0, 1, 0)),
  ("a crash in the middle", "1..3\nok 1 - a\n", -11, (1, 2, 0)),
  ("a crash after the last point", "1..1\nok 1 - a\n", -6, (1, 1, 0)),
  ("a leak found at exit", "1..1\nok 1 - a\n", 23, (1, 1, 0)),
  ("more points than planned", "1..1\nok 1\nok 2\n", 0, (2, 1, 0)),
  ("a skipped point is neither", "1..2\nok 1 - a # SKIP no disk\nok 2\n", 0, (1, 0, 1)),
  ("indented points are detail", "1..1\n    ok 1 - x\n    not ok 2 - y\nnot ok 1 - z\n", 1, (0, 1, 0)),
  ("bailing out", "1..2\nok 1\nBail out! no port\n", 1, (1, 2, 0)),
  ("out of time", "1..2\nok 1\n", None, (1, 2, 0)),
  ("okay is no point", "1..0\nokay then\n", 0, (0, 0, 0)),
]


def self_test():
  print(f"1..{len(CASES)}")
  bad = 0
  for number, (name, text, status, wanted) in enumerate(CASES, 1):
    got = count(text, status)
    if (got.passed, got.failed, got.skipped) == wanted:
      print(f"ok {number} - {name}")
    else:
      bad += 1
      print(f"# got {got}, wanted {wanted}")
      print(f"not ok {number} - {name}")
  return 1 if bad else 0


if __name__ == "__main__":
  sys.exit(self_test())
