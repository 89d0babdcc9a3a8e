#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-format over all C files, clang-tidy over all that are compiled, shellcheck over the scripts.
# clang-tidy takes seconds a file, so a file that was clean is not looked at again until it, a header
# that it includes, or the rules change: build/tidy-cache has one empty file per clean state.
# Flags come from build-asan, which clang compiles; gcc's would not be understood.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=build/tidy-cache

# tracked PATTERN...: without git (a tarball) what is there counts.
tracked() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
			[[ ! -e $file ]] || echo "$file"
		done
	else
		local names=() pattern
		for pattern; do
			names+=(-o -path "./${pattern/#\*/\*}")
		done
		find . \( -path './build*' -o -name node_modules \) -prune -o \
			-type f \( "${names[@]:1}" \) -print | sed 's|^\./||'
	fi
}

# What the verdict on a file depends on, as one word.
fingerprint() { # FILE
	local headers
	headers=$(clang -MM -I. -D_GNU_SOURCE "$1" 2>/dev/null | sed 's/^[^:]*://; s/\\$//') ||
		headers=$(cat "$cache/headers")
	# shellcheck disable=SC2086 # a list of files
	cat "$1" $headers .clang-tidy "$cache/version" | sha256sum | cut -c1-40
}

tidy() { # FILE
	local stamp out
	stamp=$cache/$(fingerprint "$1")
	[[ ! -e $stamp ]] || return 0
	if out=$(clang-tidy --quiet -p "$cache" "$1" 2>/dev/null); then
		: >"$stamp"
		return 0
	fi
	printf '%s\n' "$out"
	return 1
}

# A file that is part of several programs is checked once: one entry for each.
write_flags() {
	python3 - build-asan/compile_commands.json "$cache/compile_commands.json" <<'PYTHON'
import json, os, sys
once = {}
for command in json.load(open(sys.argv[1])):
  path = os.path.relpath(os.path.join(command["directory"], command["file"]))
  if not path.startswith(("build", "..")) and os.path.exists(path):
    once.setdefault(path, command)
json.dump(list(once.values()), open(sys.argv[2], "w"))
print("\n".join(sorted(once)))
PYTHON
}

if [[ ${1:-} == --tidy ]]; then # what xargs runs
	tidy "$2"
	exit
fi

mapfile -t sources < <(tracked '*.c')
mapfile -t headers < <(tracked '*.h')
mapfile -t scripts < <(tracked dev .ci/run '*.sh')
status=0

echo "-- clang-format, ${#sources[@]} sources and ${#headers[@]} headers"
clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}" || status=1

mkdir -p "$cache"
clang-tidy --version >"$cache/version"
printf '%s\n' "${headers[@]}" >"$cache/headers"
mapfile -t compiled < <(write_flags)
echo "-- clang-tidy, ${#compiled[@]} sources"
printf '%s\0' "${compiled[@]}" | xargs -0 -n 1 -P "$(nproc)" tests/lint.sh --tidy || status=1

echo "-- shellcheck, ${#scripts[@]} scripts"
shellcheck "${scripts[@]}" || status=1

((status == 0)) && echo "lint: clean"
exit "$status"
