#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# guard is configured and built under guard, with a result that is identical to the
# one built without: thousands of execs of shells, compilers and linkers.
. "${srcdir:-.}/tests/live/tap.sh"
need jq make gcc

policy make <<END
  - id: compilers
    expression: exec.file.name == "as" || exec.file.name =~ "*-as"
    every: 1ns
END
# all of it takes too long for the quick tier
targets=(src/libbase.a src/libsecl.a src/libkernel.a guard-recorder)
[ "${TIER:-}" = full ] && targets=(all)

build_it() # PREFIX...: in ./build, always the same name, since it is in the result
{
	mkdir build || return
	(
		cd build || exit
		"$@" "$srcdir/configure" --quiet --disable-tests CC=gcc CFLAGS="-O0 -g" || exit
		"$@" make -s -j2 "${targets[@]}"
	)
}
sums() { (cd "$1" && find . -name '*.[oa]' -o -name guard -o -name guard-recorder | sort | xargs sha256sum); }

unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS
check "builds without guard" build_it env
mv build native
check "builds under guard" build_it "$guard" run -q -p "$work/make.policy" -o "file:$work/events" --
sums native >native.sums
sums build >guarded.sums
check "there is something to compare" test "$(wc -l <native.sums)" -gt 20
check "the results are identical" cmp native.sums guarded.sums
check "every compilation was seen" events events \
	"map(select(.agent.rule_id == \"compilers\")) | length >= $(find build -name '*.o' | wc -l)"
finish
