#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The command line as a whole: version, help, unknown commands. Exercises
# src/main.c, src/cmd/help.c, src/cmd/version.c.
. "${srcdir:-.}/tests/live/tap.sh"

version="guard $(sed -n 's/^#define PACKAGE_VERSION "\(.*\)"/\1/p' "$builddir/config.h")"
for word in version --version -V; do
	check "guard $word prints the version" prints "$version" "$guard" "$word"
done
for word in help --help -h; do
	check "guard $word exits with 0" exits 0 "$guard" "$word"
done
check "help has a row for each command" \
	test "$("$guard" help | grep -c '^  [a-z]* *[a-z]')" -ge "$("$guard" help --dump | grep -c ^command)"

nothing_on_stdout() { [ -z "$("$@" 2>/dev/null)" ]; }
while read -r word hint; do
	check "unknown command $word exits with 125" exits 125 "$guard" "$word"
	check "unknown command $word names ${hint:-the help}" \
		says "^guard: .*'$word'.*${hint:-guard help}" "$guard" "$word"
	check "unknown command $word prints nothing on stdout" nothing_on_stdout "$guard" "$word"
done <<-END
	versoin 'version'
	hlep 'help'
	hel 'help'
	zzzzzzzz
	--frobnicate
END
check "no command at all exits with 125" exits 125 "$guard"
check "help on nothing known exits with 125" exits 125 "$guard" help nonsense
check "version with an argument exits with 125" exits 125 "$guard" version now
to_full_disk() { "$@" >/dev/full; }
check "a full disk is an error of help" exits 1 to_full_disk "$guard" help
check "a full disk is an error of version" exits 1 to_full_disk "$guard" version
check "control bytes in a command are escaped" \
	not says "$(printf '\033')" "$guard" "$(printf 'a\033[31mb')"
finish
