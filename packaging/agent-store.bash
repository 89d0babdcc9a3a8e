# SPDX-License-Identifier: Apache-2.0
# Completion for bash. The words come from the program's own help, so this file knows none of them.
# shellcheck shell=bash

# Prints what may stand behind the words before the cursor, one a line; FILE where a file may.
_agent_store_words() { # PROGRAM WORD...
	local program=$1
	shift
	"$program" --help 2>/dev/null | awk -v typed="$*" '
		function offer(list, n, i, parts) {
			n = split(list, parts, "|")
			for (i = 1; i <= n; i++)
				print parts[i]
		}
		function is_name(token) { return token ~ /^[A-Z_]+(\.\.\.)?$/ }
		# A line of usage: "agent-store account policy ACCOUNT [--daily-usd N] ..."
		/^  agent-store / {
			sub(/^  agent-store /, "")
			flags = ""
			count = 0
			n = split($0, token, " ")
			for (i = 1; i <= n; i++) {
				bracket = token[i] ~ /^\[/
				gsub(/[][]/, "", token[i])
				if (token[i] ~ /^--/) {
					flags = flags "\n" token[i]
					follows = token[i + 1]
					gsub(/[][]/, "", follows)
					if (follows != "" && follows !~ /^--/)
						i++
				} else if (token[i] != "|") {
					operand[++count] = token[i]
				}
			}
			words = split(typed, word, " ")
			for (i = 1; i <= words; i++)
				if (i > count || !(word[i] == operand[i] || is_name(operand[i]) ||
				    index("|" operand[i] "|", "|" word[i] "|")))
					next
			if (words < count && operand[words + 1] ~ /^FILE/)
				print "FILE"
			else if (words < count && !is_name(operand[words + 1]))
				offer(operand[words + 1])
			if (words > 0)
				print flags
			next
		}
		/^  --/ { print $1 }' | sort -u | sed '/^$/d'
}

# What may follow a flag: "--by model|key|day".
_agent_store_values() { # PROGRAM FLAG
	case $2 in
	--config | --db) echo FILE ;;
	*) "$1" --help 2>/dev/null | sed -n "s/.*\[*$2 \([a-z|]*\)\].*/\1/p" | tr '|' '\n' ;;
	esac
}

_agent_store() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} typed=() found i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--json | --markdown | --once | --help) ;;
		--*) i=$((i + 1)) ;; # and its value
		*) typed+=("${COMP_WORDS[i]}") ;;
		esac
	done
	case $previous in
	--json | --markdown | --once | --help) found=$(_agent_store_words "$program" "${typed[@]}") ;;
	--*) found=$(_agent_store_values "$program" "$previous") ;;
	*) found=$(_agent_store_words "$program" "${typed[@]}") ;;
	esac
	[[ $current == -* ]] || found=$(grep -v '^-' <<<"$found")
	mapfile -t COMPREPLY < <(compgen -W "${found//FILE/}" -- "$current")
	if [[ $found == *FILE* ]]; then
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -o filenames -F _agent_store agent-store
