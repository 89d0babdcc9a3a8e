#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the compiler does not check: who may include whom, banned functions, money's field, text where
# a builder belongs, sizes, names, marks. One TAP point a rule, in milliseconds.
#
#   tests/boundaries.sh               checks the tree
#   tests/boundaries.sh --self-test   plants one breach per rule and expects it to be caught
#
# Comments are blanked before anything is searched. A line may be excused with /* allowed: why */.
set -euo pipefail
shopt -s lastpipe # report, at the end of a pipe, counts in this shell

here=$(cd "$(dirname "$0")/.." && pwd)
layers='(base|net|store|router|mcp)'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---- The tree as lines "path:number:code" ----

list_files() { # TREE
	if [[ $1 == "$here" ]] && git -C "$1" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -C "$1" ls-files --cached --others --exclude-standard
	else
		(cd "$1" && find . -path './build*' -prune -o -name node_modules -prune -o -name .git -prune \
			-o -type f -print | sed 's|^\./||')
	fi
}

# Makes $work/code (comments blanked), $work/bare (texts emptied too), $work/text (as written) and
# $work/lengths.
# shellcheck disable=SC2016 # perl, not shell
read_tree() { # TREE
	list_files "$1" | sort -u >"$work/files"
	grep -E '\.[ch]$' "$work/files" >"$work/c" || :
	(cd "$1" && xargs -r -d '\n' perl -e '
		my ($code, $bare, $lengths) = map { open my $f, ">", "$ENV{WORK}/$_" or die; $f } qw(code bare lengths);
		my $literal = qr/"(?:[^"\\\n]|\\.)*"|\x27(?:[^\x27\\\n]|\\.)*\x27/s;
		my $comment = qr{/\*.*?\*/|//[^\n]*}s;
		undef $/;
		for my $path (@ARGV) {
			open my $in, "<", $path or next;
			my $text = <$in>;
			my $allowed = 0;
			my %allowed;
			my $n = 0;
			for (split /\n/, $text) { $n++; $allowed{$n} = 1 if m{/\* allowed: \S.*\*/} }
			print $lengths "$path $n\n";
			$text =~ s{($literal)|($comment)}{defined $1 ? $1 : $2 =~ s/[^\n]//gr}ge;
			$n = 0;
			for my $line (split /\n/, $text) {
				$n++;
				next if $allowed{$n} || $line !~ /\S/;
				print $code "$path:$n:$line\n";
				$line =~ s{($literal)}{substr($1, 0, 1) x 2}ge if $line !~ /^\s*#\s*include/;
				print $bare "$path:$n:$line\n";
			}
		}' <"$work/c")
	touch "$work/code" "$work/bare" "$work/lengths"
	grep -E '\.(c|h|py|sh|mjs|js|lua|build)$|^dev$|^\.ci/run$' "$work/files" >"$work/written" || :
	(cd "$1" && xargs -r -d '\n' grep -nHE '\b(TODO|XXX|HACK|FIXME)\b' <"$work/written") >"$work/marks" || :
}

# ---- Rules ----

count=0
failed=0

# report NAME: a point; standard input has the breaches, one a line.
report() {
	local breaches
	breaches=$(cat)
	count=$((count + 1))
	if [[ -z $breaches ]]; then
		echo "ok $count - $1"
		return
	fi
	failed=$((failed + 1))
	head -n 40 <<<"$breaches" | sed 's/^/# /'
	echo "not ok $count - $1"
}

in_code() { grep -E "$1" "$work/code" || :; }
in_bare() { grep -E "$1" "$work/bare" || :; }
but() { grep -vE "$1" || :; }
only() { grep -E "$1" || :; }

# The program itself, not its tests: the layers, and what joins them at the top.
ours="^($layers/[^:]*|[^/:]+\.[ch]):[0-9]+:"
include='#[[:space:]]*include[[:space:]]*'

may_include() { # LAYER ALLOWED
	in_code "^$1/[^:]*:[0-9]+:$include\"" | but ":[0-9]+:$include\"($2)/" | report "$1 includes only $2"
}

check_includes() {
	in_code "${include}[<\"]sqlite3\.h|\bsqlite3_[a-z]" | but '^(store|tests)/' | report 'only store/ speaks SQLite'
	in_code "${include}[<\"]curl/|\bcurl_(easy|multi|global|share|slist|url)_" | but '^net/' |
		report 'only net/ speaks libcurl'
	in_code "${include}[<\"](sodium|cjson|cJSON)|\b(sodium_[a-z]|cJSON)" | but '^base/' |
		report 'only base/ speaks libsodium and cJSON'
	may_include base 'base'
	may_include net 'base|net'
	may_include store 'base|store'
	may_include router 'base|net|store|router'
	may_include mcp 'base|net|store|mcp'
	# A folder's other headers are its own; tests may look inside.
	in_code "$ours$include\"(net|store|router|mcp)/" |
		but '"(net/net|store/store|store/model|store/office|router/router|mcp/mcp)\.h"' |
		but "^$layers/[^:]*:[0-9]+:$include\"\1/" | report 'private headers stay in their folder'
}

check_words() {
	local banned='strcpy|strcat|stpcpy|sprintf|vsprintf|strtok|strtok_r|atoi|atol|atoll|atof|strncpy|strncat|gets|sscanf|scanf|alloca'
	in_bare "\b($banned)[[:space:]]*\(|\bvalueint\b" | report 'no banned function'
	in_bare "$ours.*\b(double|float)\b" | report 'no floating point'
	in_bare "(\.|->)micros\b" | but '^(base/money\.[ch]|tests/[^:]*):' | report 'only base/money touches micros'
	in_bare "$ours.*\b((printf|vprintf|puts|putchar)[[:space:]]*\(|stdout\b)" |
		but '^((main|offline)\.c|mcp/(command|transcript)[a-z_]*\.c):' | report 'stdout belongs to the protocol'
	# static_assert has a parenthesis, so have functions, but for those of a type that ends in _fn.
	# The log level is the one exception.
	in_bare "${ours}[[:space:]]*static [^()]*[;=]" |
		but '\bconst\b|_fn [a-z_]+;|^base/log\.c:.*\blog_level\b' |
		report 'no mutable globals, no static locals'
	in_bare ':[0-9]+:[[:space:]]*#[[:space:]]*if[[:space:]]+0\b' | report 'no code switched off'
}

check_texts() {
	# Quotes beside a conversion, a colon or a bracket; a message may quote a word.
	local format='%[-0-9.*]*(h|hh|l|ll|z|j)?[sdiuxc]' text='"([^"\\]|\\.)*' quote='\\"'
	in_code "$ours.*$text($quote$format|$format$quote|$quote:|[[{]$quote)" | only "$text$format" |
		report 'no JSON made by a format'
	in_code "$text\b(SELECT|INSERT|UPDATE|DELETE|WHERE|VALUES|PRAGMA)\b([^\"\\\\]|\\\\.)*$format" |
		report 'no SQL made by a format'
}

check_files() {
	awk '$2 > ($1 == "main.c" ? 150 : 600) { print $1 ": " $2 " lines" }' "$work/lengths" |
		report 'no file above 600 lines, main.c 150'
	{ grep -E '(^|/)(util|utils|helper|helpers|common|misc)\.[ch]$' "$work/files" || :; } |
		report 'no dumping ground'
	but 'FIXME\(#[0-9]+\)|^tests/boundaries\.sh:' <"$work/marks" | report 'no marks but FIXME(#issue)'
	while read -r file; do
		IFS= read -r first <"$tree/$file" || :
		[[ $first == '/* SPDX-License-Identifier: Apache-2.0 */' ]] || echo "$file"
	done <"$work/c" | report 'the licence is in the first line'
}

check_tree() { # TREE
	tree=$1
	WORK=$work read_tree "$tree"
	count=0
	failed=0
	check_includes
	check_words
	check_texts
	check_files
	echo "1..$count"
	((failed == 0))
}

# ---- The rules' own test ----

# The breaches of a tree, as rule names.
caught_in() { # TREE
	check_tree "$1" | sed -n 's/^not ok [0-9]* - //p'
}

# sow PLOT PATH CODE
sow() {
	mkdir -p "$work/$1/$(dirname "$2")"
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n%b\n' "$3" >"$work/$1/$2"
}

# plant RULE PATH CODE excusable|final: exactly this rule must catch the code in a tree that is clean
# otherwise. What can be excused grows, excused, in a garden that is looked at last.
plant() {
	local caught
	rm -rf "$work/plot"
	sow plot "$2" "$3"
	[[ $1 != 'the licence is in the first line' ]] || sed -i 1d "$work/plot/$2"
	caught=$(caught_in "$work/plot") || :
	if [[ $caught == "$1" ]]; then
		verdict "$1: '${3:0:60}'" ''
	else
		verdict "$1: '${3:0:60}'" "caught by: ${caught:-nothing}"
	fi
	[[ $4 == final ]] || innocent "${2%.*}_$points.${2##*.}" "$3 /* allowed: a test */"
}

# innocent PATH CODE: no rule may catch it.
innocent() {
	[[ $1 != main_* ]] || set -- "mcp/$1" "$2"
	sow garden "$1" "$2"
}

points=0
bad=0

verdict() { # NAME PROBLEM
	points=$((points + 1))
	if [[ -z $2 ]]; then
		echo "ok $points - $1"
	else
		bad=$((bad + 1))
		printf '# %s\n' "$2"
		echo "not ok $points - $1"
	fi
}

self_test() {
	local caught money='only base/money touches micros' static='no mutable globals, no static locals'
	local size='no file above 600 lines, main.c 150' marks='no marks but FIXME(#issue)'

	plant 'only store/ speaks SQLite' router/a.c '#include <sqlite3.h>' excusable
	plant 'only store/ speaks SQLite' main.c '\tsqlite3_close(db);' excusable
	plant 'only net/ speaks libcurl' router/a.c '#include <curl/curl.h>' excusable
	plant 'only net/ speaks libcurl' tests/a.c '\tcurl_easy_init();' excusable
	plant 'only base/ speaks libsodium and cJSON' mcp/a.c '#include <cjson/cJSON.h>' excusable
	plant 'only base/ speaks libsodium and cJSON' store/a.c '\tsodium_init();' excusable
	plant 'base includes only base' base/a.c '#include "net/net.h"' excusable
	plant 'net includes only base|net' net/a.h '#include "store/store.h"' excusable
	plant 'store includes only base|store' store/a.c '#include "net/net.h"' excusable
	plant 'router includes only base|net|store|router' router/a.c '#include "mcp/mcp.h"' excusable
	plant 'mcp includes only base|net|store|mcp' mcp/a.c '#  include "router/router.h"' excusable
	plant 'private headers stay in their folder' router/a.c '#include "store/internal.h"' excusable
	plant 'private headers stay in their folder' main.c '#include "mcp/work.h"' excusable
	plant 'no banned function' base/a.c '\tstrcpy(a, b);' excusable
	plant 'no banned function' tests/a.c '\tint n = atoi (text);' excusable
	plant 'no banned function' base/a.c '\treturn item->valueint;' excusable
	plant 'no floating point' store/a.c '\tdouble cost = 1;' excusable
	plant "$money" store/a.c '\ttotal.micros += part.micros;' excusable
	plant "$money" mcp/a.c '\treturn m->micros;' excusable
	plant 'stdout belongs to the protocol' store/a.c '\tprintf("hello");' excusable
	plant 'stdout belongs to the protocol' mcp/stdio.c '\tfputs(line, stdout);' excusable
	plant "$static" base/a.c 'static int counter;' excusable
	plant "$static" base/a.c '\tstatic struct thing cache = { 0 };' excusable
	plant 'no code switched off' base/a.c '#if 0' excusable
	plant 'no JSON made by a format' mcp/a.c '\tsnprintf(b, n, "{\\"id\\":%d}", id);' excusable
	plant 'no JSON made by a format' mcp/a.c '\tf("%s\\"");' excusable
	plant 'no SQL made by a format' store/a.c '\tf("DELETE FROM t WHERE id = %lld", id);' excusable
	plant "$size" base/a.c "$(printf 'int a;\\n%.0s' {1..600})" final
	plant "$size" main.c "$(printf 'int a;\\n%.0s' {1..150})" final
	plant 'no dumping ground' base/util.c 'int a;' final
	plant "$marks" base/a.c '/* TODO: later */' final
	plant "$marks" tests/a.py '# FIXME: soon' final
	plant 'the licence is in the first line' base/a.c 'int a;' final

	innocent store/a.c '#include <sqlite3.h>\n#include "store/internal.h"\n#include "base/err.h"'
	innocent base/b.c '/* A double entry: printf("{\\"a\\":%d}"), strcpy(a, b). */'
	innocent base/c.c '\tsay("a double \\"quoted\\" strcpy(a)");'
	innocent store/b.c '\trun("UPDATE account SET micros = micros + ?2 WHERE id = ?1");'
	innocent store/c.c 'static const char *const NAMES[] = {\nstatic bool run(void);\nstatic_assert(A == 1, "a");'
	innocent store/d.c 'static some_fn walk;\n\tf("a part of type %s is not text, use \\"text\\" or \\"none\\"", t);'
	innocent base/money.c '\treturn a.micros - b.micros;'
	innocent tests/a.c '\tCHECK_I64(m.micros, 5);\n\tprintf("ok");'
	innocent mcp/command_print.c '\tfputs(text, stdout);'
	innocent base/d.c '/* FIXME(#12): a real issue */'
	innocent base/e.c '\tmkstemp("/tmp/a-XXXXXX");\n\tsnprintf(a, n, "%d", 1);'
	caught=$(caught_in "$work/garden") || :
	verdict 'what is excused or innocent passes' "$caught"
	echo "1..$points"
	((bad == 0))
}

case ${1:-} in
--self-test) self_test ;;
'') check_tree "$here" ;;
*)
	echo "usage: tests/boundaries.sh [--self-test]" >&2
	exit 2
	;;
esac
