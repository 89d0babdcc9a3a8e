#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-format over all C files, clang-tidy over all .c files, shellcheck over all shell scripts.
# clang-tidy takes seconds a file, so a file that was clean is not looked at again until it, a header
# that it includes, or the rules change: build/tidy-cache has one empty file per clean state.
# Flags come from build-asan, which clang compiles; gcc's would not be understood.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=build/tidy-cache
jobs=$(nproc)

# tracked PATTERN...: without git (a tarball) what is there counts.
tracked() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
			[[ ! -e $file ]] || echo "$file"
		done
	else
		local names=() pattern
		for pattern; do
			names+=(-o -name "$pattern")
		done
		find . -path './build*' -prune -o -path ./node_modules -prune -o \
			-type f \( "${names[@]:1}" \) -print | sed 's|^\./||'
	fi
}

# What the verdict on a file depends on, as one word.
fingerprint() {
	local headers
	headers=$(clang -MM -I. -D_GNU_SOURCE "$1" 2>/dev/null | sed 's/^[^:]*://; s/\\$//') ||
		headers=$(cat "$cache/headers")
	# shellcheck disable=SC2086 # a list of files
	cat "$1" $headers .clang-tidy "$cache/version" meson.build | sha256sum | cut -c1-40
}

tidy_one() {
	local file=$1 stamp out
	stamp=$cache/$(fingerprint "$file")
	[[ ! -e $stamp ]] || return 0
	if out=$(clang-tidy --quiet -p build-asan "$file" 2>/dev/null); then
		: >"$stamp"
		return 0
	fi
	printf '%s\n' "$out"
	return 1
}

mapfile -t sources < <(tracked '*.c')
mapfile -t all_headers < <(tracked '*.h')
mapfile -t scripts < <(tracked dev .ci/run '*.sh')
status=0

echo "-- clang-format, ${#sources[@]} sources and ${#all_headers[@]} headers"
clang-format --dry-run -Werror "${sources[@]}" "${all_headers[@]}" || status=1

echo "-- clang-tidy"
mkdir -p "$cache"
clang-tidy --version >"$cache/version"
printf '%s\n' "${all_headers[@]}" >"$cache/headers"
# Those that no build compiles (fuzz targets' main, for one) have no flags to be checked with.
mapfile -t compiled < <(python3 - <<'PYTHON'
import json, os
commands = json.load(open("build-asan/compile_commands.json"))
paths = {os.path.relpath(os.path.join(c["directory"], c["file"])) for c in commands}
print("\n".join(sorted(p for p in paths if not p.startswith(("build", "..")) and os.path.exists(p))))
PYTHON
)
export -f tidy_one fingerprint
export cache
printf '%s\0' "${compiled[@]}" | xargs -0 -P "$jobs" -I '{}' bash -c 'tidy_one "$1"' _ '{}' || status=1

if command -v shellcheck >/dev/null; then
	echo "-- shellcheck"
	shellcheck "${scripts[@]}" || status=1
fi

((status == 0)) && echo "lint: clean"
exit "$status"
