#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The package's whole life in a fresh Debian under chroot: installed, used, upgraded over a database
# of the first schema, removed, purged. Prints TAP. Needs root, debootstrap and a mirror.
#
#   packaging/test.sh BUILD
#
# The Debian is kept in BUILD as an archive, so that only the first run asks the mirror.
set -euo pipefail
shopt -s inherit_errexit

build=$(readlink -f "$1")
here=$(dirname "$(readlink -f "$0")")
config=/etc/agent-store/agent-store.json
store=/var/lib/agent-store/store.db
work=$(mktemp -d)
root=$work/root
points=0
failed=0

trap 'rm -rf "$work"' EXIT

# point NAME COMMAND...: one TAP point; the output of a command that fails is shown. In the background,
# because `set -e` is off in whatever a condition calls.
point() {
	local name=$1 status=0
	shift
	points=$((points + 1))
	"$@" >"$work/out" 2>&1 &
	wait $! || status=$?
	if ((status == 0)); then
		echo "ok $points - $name"
		return
	fi
	failed=$((failed + 1))
	sed 's/^/# /' "$work/out"
	echo "not ok $points - $name"
}

clean_chroot=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C chroot)
inside() { "${clean_chroot[@]}" "$root" "$@"; }
as_service() {
	exec "${clean_chroot[@]}" --userspec=agent-store:agent-store "$root" \
		agent-store --config "$config" "$@"
}

# What the system has, but for what any package leaves behind in dpkg's own files.
contents() {
	(cd "$root" && find . -path ./proc -prune -o -path ./var/lib/dpkg -prune -o -path ./var/log -prune \
		-o -path ./var/cache -prune -o -name '*-' -path './etc/*' -o -print | sort)
}

# ---- The system ----

make_system() { # DEB
	local archive=$build/debian.tar packages
	if [[ ! -e $archive ]]; then
		packages=$(dpkg-deb -f "$1" Depends | sed 's/([^)]*)//g; s/ //g')
		debootstrap --variant=minbase --include="$packages" bookworm "$work/fresh" \
			"${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$work/log" 2>&1 || {
			tail -n 20 "$work/log" >&2
			return 1
		}
		tar -C "$work/fresh" -cf "$archive.part" .
		mv "$archive.part" "$archive"
	fi
	mkdir -p "$root"
	tar -C "$root" -xf "$archive"
}

add_package() { # DEB
	cp "$1" "$root/tmp/package.deb"
	inside dpkg -i /tmp/package.deb
	rm "$root/tmp/package.deb"
}

# ---- Points ----

is_installed_but_not_enabled() {
	[[ -x $root/usr/bin/agent-store && -f $root/lib/systemd/system/agent-store.service ]]
	[[ -f $root/usr/share/man/man1/agent-store.1.gz && -f $root/usr/share/man/man5/agent-store.conf.5.gz ]]
	[[ -f $root/usr/share/bash-completion/completions/agent-store ]]
	[[ $(stat -c %a "$root/etc/agent-store/agent-store.env") == 600 ]]
	[[ $(inside stat -c %U:%a /var/lib/agent-store) == agent-store:700 ]]
	[[ -z $(find "$root/etc/systemd" -name 'agent-store*') ]]
	inside getent passwd agent-store
}

has_this_version() { [[ $(inside agent-store --version) == "agent-store "* ]]; }

checks_its_settings() { [[ $(inside agent-store config check "$config" | head -n 1) == ok ]]; }

makes_an_account() { (as_service account create "$1") | grep -q 'ask_live_'; }

# Puts the first schema's database where the service has its own.
goes_back_to_schema_1() {
	local owner
	owner=$(inside stat -c %u:%g /var/lib/agent-store)
	rm -f "$root$store"*
	sqlite3 "$root$store" <"$here/../fixtures/db/v1.sql"
	printf 'p%.0s' {1..32} >"$root$store.pepper"
	chown "$owner" "$root$store" "$root$store.pepper"
	chmod 600 "$root$store" "$root$store.pepper"
	sum_before=$(sha256sum "$root$store")
}

keeps_what_was_there() {
	[[ $(sha256sum "$root$store") == "$sum_before" ]]
	grep -q '127.0.0.1:0' "$root$config" # what the administrator had changed
}

reads_the_older_books() {
	(as_service account list --json) | grep -q '"name":"first"'
	(as_service ledger verify) | grep -q 'every balance equals its entries'
	[[ $(sqlite3 "$root$store" 'PRAGMA user_version') != 1 ]]
}

serves_until_it_is_told_to_end() {
	local address='' i
	as_service serve 2>"$work/serve.log" &
	local server=$!
	trap 'kill -KILL $server' EXIT
	for ((i = 0; i < 100; i++)); do
		address=$(sed -n 's/.*event=listening addr=//p' "$work/serve.log")
		[[ -z $address ]] || break
		sleep 0.1
	done
	python3 - "http://$address/healthz" <<-'PYTHON'
		import json, sys, urllib.request
		assert json.load(urllib.request.urlopen(sys.argv[1], timeout=10))["status"] == "ok"
	PYTHON
	(as_service status --json) | grep -q '"requestsInFlight":0'
	kill -TERM "$server"
	wait "$server"
	trap - EXIT
}

is_gone_but_for_settings_and_books() {
	[[ ! -e $root/usr/bin/agent-store && ! -e $root/lib/systemd/system/agent-store.service ]]
	[[ ! -e $root/usr/share/doc/agent-store && ! -e $root/usr/share/man/man1/agent-store.1.gz ]]
	[[ -f $root$store && -f $root$config ]]
}

leaves_nothing_behind() {
	diff "$work/before" <(contents)
	! inside getent passwd agent-store
}

main() {
	local deb older sum_before=
	deb=$("$here/deb.sh" "$build")
	older=$("$here/deb.sh" "$build" 0.0.1)
	make_system "$deb"
	contents >"$work/before"

	point 'an older version installs' add_package "$older"
	rm -f "$older"
	point 'it is installed, and not enabled' is_installed_but_not_enabled
	point 'it has a version' has_this_version
	point 'its settings are good as they come' checks_its_settings
	point 'an account is made as the service' makes_an_account acme
	sed -i 's/127.0.0.1:8787/127.0.0.1:0/' "$root$config"
	goes_back_to_schema_1
	point 'this version upgrades it' add_package "$deb"
	point 'the upgrade keeps books and settings' keeps_what_was_there
	point 'the older books are read, and add up' reads_the_older_books
	point 'another account is made' makes_an_account newcomer
	point 'it serves until it is told to end' serves_until_it_is_told_to_end
	point 'it is removed' inside dpkg --remove agent-store
	point 'settings and books stay' is_gone_but_for_settings_and_books
	point 'it is purged' inside dpkg --purge agent-store
	point 'nothing is left behind' leaves_nothing_behind
	echo "1..$points"
	((failed == 0))
}

main
