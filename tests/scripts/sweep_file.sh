#!/usr/bin/env bash
# Others read the file of a sweep: Python's sqlite3, and pandas and DuckDB where they are installed. Names, units and
# descriptions of all columns are in it, and the rows are those of its CSV.
# usage: sweep_file.sh GODWIT SOURCES. Passes with a message where there is no Python with sqlite3.
set -euo pipefail
godwit=$1
if ! python3 -c 'import sqlite3' 2>/dev/null; then
  echo "skipped: no python3 with sqlite3 here"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/sweep.json" <<'END_OF_SWEEP'
{
  "base": {
    "hosts": [{"name": "a"}, {"name": "b"}], "links": [{"between": ["a", "b"]}],
    "guests": [{"name": "g", "memory": "16 MiB", "workload": {"kind": "uniform", "write_rate": "1000 pages/s"}}],
    "migrations": [{"to": "b", "strategy": "pre-copy"}]
  },
  "vary": {
    "/migrations/0/strategy": ["pre-copy", "self-migration"],
    "/links/0/bandwidth": ["1 Gbit/s", "10 Gbit/s"]
  },
  "seeds": 3
}
END_OF_SWEEP
"$godwit" sweep "$folder/sweep.json" --out "$folder/sweep.sqlite" --csv "$folder/sweep.csv"

cat >"$folder/read.py" <<'END_OF_PYTHON'
import csv, sqlite3, sys

def check(truth, what):
    if not truth: sys.exit("sweep_file: " + what)

base = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
cursor = base.execute("SELECT * FROM runs ORDER BY point")
names, rows = [each[0] for each in cursor.description], cursor.fetchall()
check(len(rows) == 12, f"2 strategies, 2 bandwidths and 3 seeds are 12 rows, not {len(rows)}")

described = {each[0]: each for each in base.execute("SELECT name, unit, description, pointer, role FROM columns")}
check(set(names) == set(described), f"columns without a description: {set(names) ^ set(described)}")
for name, unit, description, _, _ in described.values():
    check(description.strip(), f"{name} says nothing of itself")
    for suffix, wanted in (("_ms", "ms"), ("_bytes", "bytes"), ("_mbps", "Mbit/s")):
        check(not name.endswith(suffix) or unit == wanted, f"the unit of {name} is {unit}")
check(described["links_0_bandwidth_mbps"][1:2] + described["links_0_bandwidth_mbps"][3:] == ("Mbit/s", "/links/0/bandwidth", "axis"),
      f"an axis knows what it varied: {described['links_0_bandwidth_mbps']}")
check(sorted(set(row[names.index("links_0_bandwidth_mbps")] for row in rows)) == [1000, 10000], "bandwidths in Mbit/s")

with open(sys.argv[2], newline="") as file:
    table = list(csv.reader(file))
check(table[0] == names, "the CSV has the same columns")
def same(text, value):
    if value is None: return text == ""
    return float(text) == value if isinstance(value, (int, float)) else text == value
check(len(table) == 13 and all(same(*pair) for line, row in zip(table[1:], rows) for pair in zip(line, row)),
      "the CSV has the same rows")
print("python's sqlite3 reads it")

# 16 MiB and nobody slower than 1 Gbit/s: at least 2^24 x 8 / 10^9 = 134.2 ms each.
try:
    import pandas
    frame = pandas.read_sql("SELECT * FROM runs WHERE links_0_bandwidth_mbps = 1000", base)
    check(len(frame) == 6 and frame["total_time_ms"].min() > 134.2, "pandas reads it")
    print("pandas reads it")
except ImportError:
    print("skipped: no pandas here")
try:
    import duckdb
    link = duckdb.connect()
    link.execute("INSTALL sqlite; LOAD sqlite")
    link.execute(f"ATTACH '{sys.argv[1]}' AS sweep (TYPE sqlite)")
    least = link.execute("SELECT count(*), min(total_time_ms) FROM sweep.runs WHERE links_0_bandwidth_mbps = 1000").fetchone()
    check(least[0] == 6 and least[1] > 134.2, "duckdb reads it")
    print("duckdb reads it")
except ImportError:
    print("skipped: no duckdb here")
except Exception as trouble:  # its reader of SQLite comes over a network
    if "HTTP" not in str(trouble) and "download" not in str(trouble): raise
    print("skipped: duckdb has no reader of SQLite here")
END_OF_PYTHON
python3 "$folder/read.py" "$folder/sweep.sqlite" "$folder/sweep.csv"
