# SPDX-License-Identifier: Apache-2.0
"""A small MCP host: starts a server as hosts do and speaks JSON-RPC lines over its pipes."""

import json
import os
import select
import subprocess
import time

PROTOCOL = "2025-11-25"


class RpcError(Exception):
  """The server answered with a JSON-RPC error."""


class ToolError(Exception):
  """The tool answered isError; `error` is its {code, message, ...}."""

  def __init__(self, tool, text, error):
    super().__init__(f"{tool}: {text}")
    self.error = error


class McpClient:
  """One session. Use it in a `with`: leaving it closes the server's stdin and waits for its end."""

  def __init__(self, argv, env, stderr=None, timeout=30):
    self.timeout = timeout
    self.next_id = 1
    self.pending = b""
    self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=stderr, bufsize=0)

  def __enter__(self):
    return self

  def __exit__(self, *_):
    self.close()

  def handshake(self):
    """initialize and initialized; returns the server's answer."""
    result = self.request("initialize", {
      "protocolVersion": PROTOCOL,
      "capabilities": {},
      "clientInfo": {"name": "agent-store-demo", "version": "1"},
    })
    self.notify("notifications/initialized")
    return result

  def request(self, method, params=None):
    number, self.next_id = self.next_id, self.next_id + 1
    self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}})
    deadline = time.monotonic() + self.timeout
    while True:
      message = json.loads(self._line(deadline))
      if message.get("id") != number:
        continue  # a notification
      if "error" in message:
        raise RpcError(f"{method}: {message['error']['message']}")
      return message["result"]

  def notify(self, method):
    self._send({"jsonrpc": "2.0", "method": method})

  def tool(self, name, **arguments):
    """Calls a tool and returns its structured answer."""
    result = self.request("tools/call", {"name": name, "arguments": arguments})
    content = result.get("structuredContent", {})
    if result.get("isError"):
      raise ToolError(name, result["content"][0]["text"], content.get("error", {}))
    return content

  def close(self):
    """Ends the session as hosts do; returns the exit code."""
    self.process.stdin.close()
    try:
      return self.process.wait(10)
    except subprocess.TimeoutExpired:
      self.process.kill()
      return self.process.wait()
    finally:
      self.process.stdout.close()

  def _send(self, message):
    self.process.stdin.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

  def _line(self, deadline):
    out = self.process.stdout.fileno()
    while b"\n" not in self.pending:
      ready, _, _ = select.select([out], [], [], max(0, deadline - time.monotonic()))
      if not ready:
        raise TimeoutError(f"no answer in {self.timeout} s")
      piece = os.read(out, 65536)
      if not piece:
        raise EOFError(f"the server ended (exit code {self.process.wait()})")
      self.pending += piece
    line, self.pending = self.pending.split(b"\n", 1)
    return line
