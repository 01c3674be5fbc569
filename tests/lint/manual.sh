#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The manual and the tables agree: every command has a page, every option and every
# key of guard.conf is described, and no page describes an option that there is not.
. "${srcdir:-.}/tests/live/tap.sh"
cd "$srcdir" || exit 99

dump=$("$guard" help --dump)
# help and version are described in guard(1) alone
commands=$(sed -n 's/^command\t\([^\t]*\).*/\1/p' <<<"$dump" | grep -Evx 'help|version')

# the option of a row, as mdoc writes it
describes() # PAGE LONG-NAME
{
	grep -Eq -e "^\.It.*Fl -${2#--}( |\$)" "$1" || { echo "$1 lacks $2"; return 1; }
}
options_are_described() # COMMAND
{
	local kind command long bad=0
	while IFS=$'\t' read -r kind command long _; do
		[ "$kind $command" = "option $1" ] || continue
		describes "man/guard-$1.1" "$long" || bad=1
	done <<<"$dump"
	return "$bad"
}
options_exist() # COMMAND
{
	local long bad=0
	while read -r long; do
		grep -q "^option	$1	--$long	" <<<"$dump" || { echo "there is no --$long"; bad=1; }
	done < <(sed -n 's/^\.It.*Fl -\([a-z-]*\).*/\1/p' "man/guard-$1.1")
	return "$bad"
}
for command in $commands; do
	check "guard(1) names $command" grep -q "^\.It Cm $command\b" man/guard.1
	check "there is a page of guard $command" test -f "man/guard-$command.1"
	check "the page of $command has all its options" options_are_described "$command"
	check "the page of $command has no others" options_exist "$command"
done

keys_are_described()
{
	local kind section key bad=0
	while IFS=$'\t' read -r kind section key _; do
		[ "$kind" = key ] || continue
		grep -Eq "^\.It.*\b$key\b" man/guard.conf.5 || { echo "[$section] $key is missing"; bad=1; }
	done <<<"$dump"
	return "$bad"
}
check "guard.conf(5) has every key" keys_are_described

pages_are_installed()
{
	local page bad=0
	for page in man/*.[1-8]; do
		grep -q "$page" man/Makemodule.am || { echo "$page is not installed"; bad=1; }
	done
	return "$bad"
}
check "every page is installed" pages_are_installed

referred_pages_exist()
{
	local name section bad=0
	while read -r name section; do
		[[ $name == guard* ]] || continue
		[ -f "man/$name.$section" ] || { echo "$name($section) is referred to and missing"; bad=1; }
	done < <(sed -n 's/^\.Xr \([^ ]*\) \([0-9]\).*/\1 \2/p' man/*.[1-8] | sort -u)
	return "$bad"
}
check "every page that is referred to is there" referred_pages_exist
finish
