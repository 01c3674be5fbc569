#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# probes.sh - what a configure script does to a machine: many small programs, pipes,
# subshells, a compiler now and then.
#
#	probes.sh ROUNDS	in an empty directory
set -eu

rounds=$1 round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	name=$(printf 'ac_cv_func_%s' "$round" | sed 'y%abcdefghijklmnopqrstuvwxyz%ABCDEFGHIJKLMNOPQRSTUVWXYZ%')
	cat >conftest.c <<-END
		int f$round(void); int f$round(void) { return $round; }
	END
	if [ $((round % 8)) -eq 0 ]; then
		"${CC:-cc}" -c conftest.c -o conftest.o
	fi
	echo "$name=yes" >>confdefs
	grep -c "f$round" conftest.c >conftest.out
	expr "X$name" : 'X[^=]*_\([0-9]*\)' >/dev/null
	(sed -n "s/^$name=//p" confdefs | sort -u) >conftest.out
	test "$(cat conftest.out)" = yes
	rm -f conftest.c conftest.o conftest.out
done
rm -f confdefs
