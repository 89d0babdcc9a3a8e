#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""demo.py BUILD: an agent buys router credit over MCP and spends it over HTTP, for real.

Only the providers are simulated: one server on loopback that answers as OpenAI and as Anthropic would.
Every answer is checked; a wrong one ends the demo with exit code 1. Nothing stays behind.
"""

import json
import sys
import time
from decimal import Decimal

from local_shop import Failure, Shop, http
from mcp_client import McpClient, RpcError, ToolError

QUESTION = [
  {"role": "system", "content": "Be concise."},
  {"role": "user", "content": "Summarize the deployment status."},
]
MODEL = "claude-sonnet-4"  # what the agent asks for, in OpenAI's words
SUCCESSOR = "claude-sonnet-4-6"  # who its maker says comes after it


class Steps:
  """Prints what was done: a number, the tool, the fields that matter, the time it took."""

  def __init__(self):
    self.number = 0
    self.started = 0.0

  def begin(self):
    self.started = time.perf_counter()

  def end(self, tool, *facts):
    ms = (time.perf_counter() - self.started) * 1000
    self.number += 1
    print(f"{self.number:2}  {tool:<30}{ms:7.1f} ms   {facts[0]}", flush=True)
    for fact in facts[1:]:
      print(f"{'':47}{fact}", flush=True)


def expect(what, got, wanted):
  if got != wanted:
    raise Failure(f"{what} is {got!r}, not {wanted!r}")


def short(secret):
  """Enough of a secret to tell it from another, too little to use it."""
  return f"{secret[:13]}...{secret[-4:]}"


def buy(steps, mcp):
  """Steps 1 to 6: from a search to a router key."""
  steps.begin()
  item = mcp.tool("catalog_search", category="api_tokens", q="router credits", limit=1)["items"][0]
  expect("the item", item["id"], "cat_router_credit_001")
  steps.end("catalog_search", f"{item['id']}  \"{item['name']}\"")

  steps.begin()
  needs = mcp.tool("catalog_checkout_requirements", catalogItemId=item["id"])
  expect("requiredFields", needs["requiredFields"], ["creditAmountUsd"])
  steps.end("catalog_checkout_requirements", f"requiredFields {', '.join(needs['requiredFields'])}")

  steps.begin()
  quote = mcp.tool("quote_create", catalogItemId=item["id"], quantity=1,
                   configuration={"creditAmountUsd": 25})["quote"]
  expect("totalPriceMinor", quote["totalPriceMinor"], 2500)
  steps.end("quote_create", f"{quote['id']}  \"{quote['displayName']}\"",
            f"totalPriceMinor {quote['totalPriceMinor']} {quote['currency']}")

  steps.begin()
  bought = mcp.tool("purchase_create", quoteId=quote["id"], idempotencyKey="router-credit-topup-001")
  expect("the purchase", bought["purchase"]["status"], "completed")
  steps.end("purchase_create", f"{bought['purchase']['id']}  {bought['purchase']['status']}")

  steps.begin()
  service = mcp.tool("service_get", serviceId=bought["service"]["id"])["service"]
  expect("creditBalanceUsd", service["router"]["creditBalanceUsd"], "25.00")
  steps.end("service_get", f"{service['id']}  {service['status']}",
            f"creditBalanceUsd {service['router']['creditBalanceUsd']}")

  steps.begin()
  key = mcp.tool("router_api_key_create", serviceId=service["id"], label="prod-router")["apiKey"]
  expect("the key's prefix", key["secret"][:len(key["prefix"])], key["prefix"])
  steps.end("router_api_key_create", f"{key['label']}  {short(key['secret'])}", key["baseUrl"])
  return service["id"], key


def spend(steps, key):
  """Steps 7 and 8: the models, then one call. Returns the id of the call."""
  steps.begin()
  status, _, models = http("GET", key["baseUrl"] + "/models", key["secret"])
  expect("GET /models", status, 200)
  ids = [model["id"] for model in models["data"]]
  expect(f"{MODEL} is on offer", MODEL in ids, True)
  steps.end("GET /models", f"{len(ids)}: {', '.join(ids[:3])} ...")

  steps.begin()
  status, headers, answer = http("POST", key["baseUrl"] + "/chat/completions", key["secret"],
                                 {"model": MODEL, "messages": QUESTION})
  expect("POST /chat/completions", (status, answer.get("error")), (200, None))
  expect("the answer's model", answer["model"], SUCCESSOR)
  usage = answer["usage"]
  text = answer["choices"][0]["message"]["content"]
  steps.end("POST /chat/completions", f"\"{text}\"",
            f"{MODEL}, retired by its maker: {answer['model']} answers",
            f"{usage['prompt_tokens']} tokens in, {usage['completion_tokens']} out")
  return headers["x-request-id"], usage


def account_for(steps, mcp, service_id, key, request_id, usage):
  """What the call cost: the balance and the receipt agree with the prices, to the micro."""
  steps.begin()
  router = mcp.tool("service_get", serviceId=service_id)["service"]["router"]
  steps.end("service_get", f"creditBalanceUsd {router['creditBalanceUsd']}, heldUsd {router['heldUsd']}")

  steps.begin()
  receipt = mcp.tool("router_request_get", requestId=request_id)
  charge = receipt["buyerChargeUsdMicros"]
  prices = {name: Decimal(str(price)) for name, price in receipt["unitPricesUsdPerMillion"].items()}
  steps.end("router_request_get", f"{receipt['status']}, evidence {receipt['evidence']}",
            f"{receipt['uncachedInputTokens']} x ${prices['input']}/M"
            f" + {receipt['outputTokens']} x ${prices['output']}/M"
            f" = {charge} micro-USD")
  cost = receipt["uncachedInputTokens"] * prices["input"] + receipt["outputTokens"] * prices["output"]
  expect("uncachedInputTokens", receipt["uncachedInputTokens"], usage["prompt_tokens"])
  expect("outputTokens", receipt["outputTokens"], usage["completion_tokens"])
  expect("buyerChargeUsdMicros", charge, int(cost.to_integral_value("ROUND_CEILING")))
  expect("the receipt", (receipt["status"], receipt["evidence"]), ("settled", "provider"))
  expect("who served", (receipt["model"], receipt["servedBy"]), (MODEL, SUCCESSOR))
  expect("creditBalanceUsd", Decimal(router["creditBalanceUsd"]), 25 - Decimal(charge) / 1_000_000)
  expect("heldUsd", Decimal(router["heldUsd"]), 0)

  steps.begin()
  status, _, same = http("GET", f"{key['baseUrl']}/requests/{request_id}", key["secret"])
  expect("GET /requests/{id}", (status, same), (200, receipt))
  steps.end("GET /requests/{id}", "the same receipt over HTTP")


def print_how_to_add(binary):
  key = "AGENT_STORE_AGENT_API_KEY"
  server = {"command": str(binary), "args": ["mcp"], "env": {key: "ask_live_..."}}
  print(f"""
To use it: make an account, which prints its purchase key, then add the server to your agent host.

  {binary} account create my-agent
  {binary} wallet fund my-agent 100 --reference first
  claude mcp add agent-store -e {key}=ask_live_... -- {binary} mcp

or, in a host that is configured by a file:

{json.dumps({"mcpServers": {"agent-store": server}}, indent=2)}

Calls reach a provider once its key is in the environment too, say AGENT_STORE_OPENAI_API_KEY.
All settings: {binary} config""")


def run(build):
  steps = Steps()
  with Shop(build) as shop:
    provider = shop.start_provider()
    account = shop.command("account", "create", "demo")
    funding = shop.command("wallet", "fund", "demo", "100", "--reference", "demo-1")
    expect("the funding", funding["funding"]["amountUsd"], "100.00")
    print("The operator made an account and put $100 into its wallet. The rest is the agent's.\n")

    env = shop.env(AGENT_API_KEY=account["purchaseKey"], OPENAI_BASE_URL=f"{provider}/v1",
                   OPENAI_API_KEY="sim-key",
                   ANTHROPIC_BASE_URL=provider, ANTHROPIC_API_KEY="sim-key")
    start = time.perf_counter()
    with McpClient([shop.binary, "mcp"], env) as mcp:
      server = mcp.handshake()["serverInfo"]
      ms = (time.perf_counter() - start) * 1000
      tools = mcp.request("tools/list")["tools"]
      print(f"{server['name']} {server['version']}: MCP session open after {ms:.1f} ms, "
            f"{len(tools)} tools\n")
      service_id, key = buy(steps, mcp)
      request_id, usage = spend(steps, key)
      account_for(steps, mcp, service_id, key, request_id, usage)
      expect("the server's exit code", mcp.close(), 0)
    verdict = shop.command("ledger", "verify")["verdict"]
    print(f"\nThe ledger adds up: {verdict['entries']} entries in {verdict['transactions']} transactions.")
  print_how_to_add(shop.binary)


def main():
  if len(sys.argv) != 2:
    sys.exit("usage: demo.py BUILD")
  try:
    run(sys.argv[1])
  except (Failure, RpcError, ToolError, OSError, EOFError, KeyError) as error:
    sys.exit(f"demo: {type(error).__name__}: {error}")


if __name__ == "__main__":
  main()
