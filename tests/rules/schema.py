# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates JSON lines on standard input against a schema, each without its
object "guard"; says how many lines there were. Usage: schema.py SCHEMA"""
import json
import sys

import jsonschema

schema = json.load(open(sys.argv[1], encoding="utf-8"))
validator = jsonschema.validators.validator_for(schema)(
    schema, format_checker=jsonschema.FormatChecker())
# The peer's document itself must be refused when it is not one of its own.
if validator.is_valid({"agent": {"rule_id": "x", "original_rule_id": "x"}, "title": "", "guard": {}}):
    sys.exit("the schema refuses nothing")

count = bad = 0
for number, line in enumerate(sys.stdin.buffer, 1):
    count += 1
    text = line.decode("utf-8").rstrip("\n")
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in text):
        print(f"line {number}: a control character")
        bad += 1
    document = json.loads(text)
    if not isinstance(document.pop("guard", None), dict):
        print(f"line {number}: no object 'guard'")
        bad += 1
    for error in validator.iter_errors(document):
        print(f"line {number}: {error.json_path}: {error.message[:200]}")
        bad += 1
    for key in ("agent", "title", "evt", "date", "process", "usr"):
        if key not in document:
            print(f"line {number}: no '{key}'")
            bad += 1
print(count)
sys.exit(bad > 0)
