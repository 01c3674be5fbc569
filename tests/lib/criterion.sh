#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs one Criterion program and prints its results as TAP, so that each test
# is counted and not each program. What the program itself prints goes to the
# log. Usage: criterion.sh PROGRAM [ARGUMENT]...
results=$(mktemp) || exit 99
trap 'rm -f "$results"' EXIT
"$@" --tap="$results" >&2
status=$?
# Criterion's block after a failure is YAML, which automake would take for text
# to be ignored: keep it in the log as comments.
sed -e 's/^  /# &/' "$results"
[ -s "$results" ] || echo "Bail out! $1 wrote no results"
# A failed test is counted by its line; any other failure is one of its own.
grep -q '^not ok' "$results" || exit "$status"
