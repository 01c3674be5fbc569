#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Files stay below 800 lines; a function above 80 is named, as a question.
. "${srcdir:-.}/tests/live/tap.sh"
cd "$srcdir" || exit 99

files_are_short()
{
	local bad
	bad=$(find src tests -name '*.[ch]' -exec wc -l {} + | awk '$1 > 800 && $2 != "total"')
	[ -z "$bad" ] || { echo "$bad"; return 1; }
}
check "no file above 800 lines" files_are_short

find src -name '*.c' | sort | while read -r file; do
	awk -v file="$file" '
		/^[a-z].*\)$/ { name = $0; line = NR }
		/^}/ && line { if (NR - line > 80) printf "# %s:%d: %d lines: %s\n", file, line, NR - line, name; line = 0 }
	' "$file"
done
finish
