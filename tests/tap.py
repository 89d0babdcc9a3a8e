# SPDX-License-Identifier: Apache-2.0
"""Counts TAP, and believes nothing: a missing plan, a missing point, a crash are failures too.

Of nested points (node prints so) the innermost count: an outer one only tells of those before it.
`python3 tests/tap.py` tests the counting itself and prints TAP.
"""

import re
import sys
from dataclasses import dataclass, field

POINT = re.compile(r"( *)(not )?ok\b(?: +(\d+))?(?: *-)? *(.*)")
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


class Counter:
  """Reads lines. `inner` has, of the points that no outer one has claimed yet, depth and failure."""

  def __init__(self):
    self.result = Count()
    self.plan = None
    self.outermost = 0
    self.inner = []
    self.detail = []
    self.explained = None  # the YAML block behind a point, while it is being read
    self.to_blame = False  # that point is a failure which counts

  def line(self, line):
    if match := POINT.match(line):
      self.point(line, len(match[1]), bool(match[2]), match[4])
    elif self.explained is not None:
      self.explain(line)
    elif (match := PLAN.match(line)) and self.plan is None:
      self.plan = int(match[1])
    elif line.startswith("Bail out!"):
      self.result.fail(line)
    else:
      self.detail.append(line)

  def point(self, line, depth, failed, name):
    claimed = [inner for inner in self.inner if inner[0] > depth]
    self.inner = [inner for inner in self.inner if inner[0] <= depth] + [(depth, failed)]
    self.outermost += depth == 0
    if claimed and not (failed and not any(inner_failed for _, inner_failed in claimed)):
      pass  # an outer point that says what its inner ones said
    elif SKIP.search(line):
      self.result.skipped += 1
    elif failed:
      self.result.fail(name or line, "\n".join(self.detail[-DETAIL_LINES:]))
    else:
      self.result.passed += 1
    self.explained = []
    self.to_blame = failed and not claimed
    self.detail = []

  def explain(self, line):
    """node says why in a YAML block after the point."""
    word = line.strip()
    if not self.explained and word != "---":
      self.explained = None
      self.line(line)
    elif word == "..." and not self.to_blame:
      self.explained = None
    elif word == "...":
      name, detail = self.result.problems[-1]
      self.result.problems[-1] = (name, "\n".join([detail, *self.explained[1:DETAIL_LINES]]).strip())
      self.explained = None
    else:
      self.explained.append(line)


def count(text, status=0, stderr=""):
  """`status` is the program's exit code, negative for a signal, None if it ran out of time."""
  counter = Counter()
  for line in text.splitlines():
    counter.line(line)
  result = counter.result
  rest = "\n".join((counter.detail + stderr.splitlines())[-DETAIL_LINES:])
  if counter.plan is None:
    result.fail("there is no plan", rest)
  elif counter.plan != counter.outermost:
    result.fail(f"{counter.plan} points were planned, {counter.outermost} came", rest)
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
  ("inner points count, not their sum", "1..1\n  ok 1 - x\n  not ok 2 - y\n  1..2\nnot ok 1 - z\n",
   1, (1, 1, 0)),
  ("an outer failure of its own", "1..1\n    ok 1 - x\nnot ok 1 - z\n", 1, (1, 1, 0)),
  ("three deep", "    ok 1\n    ok 2\n  ok 1\nok 1\nok 2\n1..2\n", 0, (3, 0, 0)),
  ("a block after the point", "not ok 1 - a\n  ---\n  why: 'ok 2'\n  ...\nok 2 - b\n1..2\n",
   1, (1, 1, 0)),
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
