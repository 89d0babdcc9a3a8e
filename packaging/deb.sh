#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the Debian package of a build that was configured with --prefix=/usr, without debhelper: what
# meson installs, compressed manual pages, settings as conffiles, and what the libraries are.
#
#   packaging/deb.sh BUILD [VERSION]     writes BUILD/agent-store_VERSION_ARCH.deb and prints its path
set -euo pipefail

build=$(readlink -f "$1")
cd "$(dirname "$(readlink -f "$0")")/.."
version=${2:-$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)}
architecture=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y CHANGELOG.md)}

umask 022
mkdir "$root"
DESTDIR=$root meson install -C "$build" --no-rebuild --quiet
strip --remove-section=.comment --remove-section=.note "$root/usr/bin/agent-store"
gzip -9n "$root"/usr/share/man/man*/*
install -d "$root/etc/agent-store"
install -m 0644 packaging/agent-store.json "$root/etc/agent-store/"
install -m 0600 packaging/agent-store.env "$root/etc/agent-store/"
docs=$root/usr/share/doc/agent-store
install -m 0644 LICENSE "$docs/copyright"
gzip -9nc CHANGELOG.md >"$docs/changelog.gz"

# dpkg-shlibdeps reads debian/control of the folder that it stands in.
mkdir -p "$work/shlibs/debian"
printf 'Source: agent-store\n\nPackage: agent-store\nArchitecture: any\n' >"$work/shlibs/debian/control"
depends=$(cd "$work/shlibs" && dpkg-shlibdeps -O "$root/usr/bin/agent-store" 2>/dev/null |
	sed -n 's/^shlibs:Depends=//p')

install -d "$root/DEBIAN"
install -m 0755 packaging/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
printf '/etc/agent-store/%s\n' agent-store.env agent-store.json >"$root/DEBIAN/conffiles"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<CONTROL
Package: agent-store
Version: $version
Architecture: $architecture
Maintainer: Agent Store <agent-store@localhost>
Installed-Size: $(du -ks --exclude=DEBIAN "$root" | cut -f1)
Depends: $depends, passwd
Recommends: ca-certificates
Section: net
Priority: optional
Description: prepaid store for agents and LLM router
 Agents buy credit over MCP and spend it over HTTP, on the models of several
 providers, while every micro-dollar stands in a double-entry ledger.
CONTROL

deb=$build/agent-store_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$root" "$deb" >/dev/null
echo "$deb"
