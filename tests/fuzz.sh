#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh SECONDS [TARGET]: runs the targets of build-fuzz, each for so long. What is learnt stays in
# build-fuzz/corpus; an input that fails is put into fixtures/corpus, where every test run replays it.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
only=${2:-}
status=0
found=0

for program in build-fuzz/tests/fuzz_*; do
	[[ -f $program && -x $program ]] || continue
	target=${program##*/fuzz_}
	[[ -z $only || $only == "$target" ]] || continue
	found=1
	mkdir -p "build-fuzz/corpus/$target" "fixtures/corpus/$target"
	echo "-- $target, $seconds s"
	if ! "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="fixtures/corpus/$target/" \
		"build-fuzz/corpus/$target" "fixtures/corpus/$target" >"build-fuzz/$target.log" 2>&1; then
		tail -n 60 "build-fuzz/$target.log"
		echo "-- $target failed; the input is in fixtures/corpus/$target, the log in build-fuzz/$target.log"
		status=1
		continue
	fi
	grep -E 'stat::(number_of_executed_units|new_units_added)' "build-fuzz/$target.log"
done

if ((found == 0)); then
	echo "fuzz: there is no target '$only'" >&2
	exit 2
fi
exit "$status"
