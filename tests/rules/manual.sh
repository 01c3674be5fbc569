#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# guard-events(7) has every value of the closed sets, with the sentence of the
# table, and every key of "guard" that a report can have.
. "${srcdir:-.}/tests/live/tap.sh"

page=$srcdir/man/guard-events.7

# row_is_told NAME TEXT: the item NAME is followed by TEXT.
row_is_told()
{
	grep -A1 -Fx ".It Cm $1" "$page" | grep -Fq "$2"
}

for table in reason guarantee; do
	while IFS=$'\t' read -r name text; do
		check "$table $name" row_is_told "$name" "$text"
	done < <(sed -n 's/^[A-Z]*([A-Z_]*, "\(.*\)", "\(.*\)")$/\1\t\2/p' "$srcdir/src/model/$table.def")
done
while read -r name; do
	[ "$name" = none ] || check "verdict $name" row_is_told "$name" ""
done < <(sed -n 's/^VERDICT([A-Z_]*, "\(.*\)")$/\1/p' "$srcdir/src/model/verdict.def")

key_is_told()
{
	grep -E '^\.It Va ' "$page" | grep -Eqw "$1"
}
need jq
"$builddir/tests/rules/reports" >lines
while read -r key; do
	check "key $key" key_is_told "$key"
done < <(jq -r '.guard | keys[]' lines | sort -u)
check "there are many keys" test "$tap_count" -ge 30
finish
