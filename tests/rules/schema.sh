#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every report, without our object "guard", is a document of the peer's backend
# schema, whatever bytes the workload is made of. Exercises model/report.c.
. "${srcdir:-.}/tests/live/tap.sh"
need python3
python3 -c 'import jsonschema' 2>/dev/null || skip_all "python3-jsonschema is not installed"

schema=$srcdir/tests/data/backend_linux.schema.json
reports=$builddir/tests/rules/reports

validates()
{
	python3 "$srcdir/tests/rules/schema.py" "$schema" <"$1"
}

check "reports are written" eval '"$reports" >lines'
check "every one is valid" validates lines
check "there are many" test "$(wc -l <lines)" -ge 600
# the check itself: a key of ours outside of "guard" is refused
jq -c '.process.ours = 1' lines | head -n 1 >broken
check "a foreign key is refused" not validates broken
finish
