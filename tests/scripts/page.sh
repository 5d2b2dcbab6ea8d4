#!/usr/bin/env bash
# A page opens in a browser: every chart is drawn, nothing is complained of, nothing is asked of the network; its filters
# change the charts, which are as before when a filter is taken off, and its tables sort. The page of a sweep of 10,000
# points, each a combination of its own, is below 3 MiB.
# usage: page.sh GODWIT SOURCES. Passes with a message where there is no browser, or this build has no page.
set -euo pipefail
godwit=$1
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [[ -z $browser ]]; then
  echo "skipped: no chromium here"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/sweep.json" <<'END'
{
  "base": {
    "hosts": [{"name": "a"}, {"name": "b"}], "links": [{"between": ["a", "b"]}],
    "guests": [{"name": "g", "memory": "64 MiB", "workload": {"kind": "uniform", "write_rate": "1000 pages/s"}}],
    "migrations": [{"to": "b", "strategy": "pre-copy"}]
  },
  "vary": {
    "/migrations/0/strategy": ["pre-copy", "self-migration"],
    "/links/0/bandwidth": ["1 Gbit/s", "10 Gbit/s"],
    "/guests/0/workload/write_rate": {"from": "100 pages/s", "to": "10000 pages/s", "steps": 3, "scale": "log"}
  },
  "seeds": 3
}
END
cat >"$folder/large.json" <<'END'
{
  "base": {
    "horizon": "1 s", "hosts": [{"name": "a"}, {"name": "b"}], "links": [{"between": ["a", "b"]}],
    "guests": [{"name": "g", "memory": "4 MiB", "workload": {"kind": "uniform", "write_rate": "1000 pages/s"}}],
    "migrations": [{"to": "b", "strategy": "pre-copy", "goal": {"downtime": "10 ms", "bandwidth": "100 Gbit/s"}}]
  },
  "vary": {
    "/migrations/0/strategy": ["pre-copy", "self-migration", "qemu-11", "xen", "post-copy"],
    "/links/0/bandwidth": {"from": "100 Mbit/s", "to": "10 Gbit/s", "steps": 20, "scale": "log"},
    "/guests/0/workload/write_rate": {"from": "100 pages/s", "to": "1000000 pages/s", "steps": 100, "scale": "log"}
  }
}
END
"$godwit" sweep "$folder/sweep.json" --out "$folder/sweep.sqlite"
"$godwit" sweep "$folder/sweep.json" --point 4 >"$folder/point.json"
"$godwit" run "$folder/point.json" --json "$folder/run.json"

# The page of a result, or the end of this test where the build has none.
page() {  # RESULT PAGE
  "$godwit" report "$1" -o "$2" 2>"$folder/trouble" && return
  if grep -q 'built without' "$folder/trouble"; then
    echo "skipped: $(cat "$folder/trouble")"
    exit 0
  fi
  cat "$folder/trouble"
  exit 1
}

# Opens the page in the browser, which must find nothing to complain of, such as a request that the page's own policy forbids;
# leaves what became of it in $folder/dom.
open_page() {  # FILE
  "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --enable-logging=stderr --v=0 \
    --virtual-time-budget=60000 --dump-dom "file://$1" >"$folder/dom" 2>"$folder/log"
  if grep 'CONSOLE' "$folder/log"; then exit 1; fi
}

drawn() {  # FILE CHARTS
  cat "$1" "$folder/requests.html" >"$folder/opened.html"
  open_page "$folder/opened.html"
  local charts
  charts=$(grep -o '<svg[^>]*class="marks"' "$folder/dom" | wc -l)
  [[ $charts -eq $2 ]] || { echo "$1: $charts charts, expected $2"; exit 1; }
  grep -q 'data-drawn="yes"' "$folder/dom" || { echo "$1: not all was drawn"; exit 1; }
  grep -q 'data-requests="0"' "$folder/dom" || { echo "$1: asks for something"; exit 1; }
}

# How many requests the page has made, as an attribute of its root.
cat >"$folder/requests.html" <<'END'
<script>
(async () => {
  const root = document.documentElement;
  while (root.dataset.drawn !== 'yes') await new Promise((done) => setTimeout(done, 50));
  root.dataset.requests = performance.getEntriesByType('resource').length;
})();
</script>
END

# What a reader does: chooses something else in each box above a chart, and sorts a table by its last column
# upwards and downwards. What was found is left in the page, as an attribute of its root.
cat >"$folder/reader.html" <<'END'
<script>
(async () => {
  const root = document.documentElement, pause = () => new Promise((done) => setTimeout(done, 50));
  while (root.dataset.drawn !== 'yes') await pause();
  const choose = async (select, index) => {
    select.selectedIndex = index;
    select.dispatchEvent(new Event('input', { bubbles: true }));
    select.dispatchEvent(new Event('change', { bubbles: true }));
    for (let i = 0; i < 10; i++) await pause();
  };
  let filters = 0, changed = 0, restored = 0;
  for (const select of document.querySelectorAll('.chart select')) {
    const marks = () => select.closest('.chart').querySelector('svg').innerHTML;
    const before = marks(), chosen = select.selectedIndex;
    await choose(select, chosen === 0 ? 1 : 0);
    if (marks() !== before) changed++;
    await choose(select, chosen);
    if (marks() === before) restored++;
    filters++;
  }
  const table = [...document.querySelectorAll('table')].find((each) => each.tBodies[0].rows.length > 5);
  const header = table.tHead.rows[0].lastElementChild;
  const column = () => [...table.tBodies[0].rows].map((row) => Number(row.lastElementChild.textContent));
  const ordered = (values, sign) => values.every((each, i) => i === 0 || sign * (each - values[i - 1]) >= 0);
  header.firstElementChild.click();
  const up = ordered(column(), 1);
  header.firstElementChild.click();
  const down = ordered(column(), -1), various = new Set(column()).size > 2;
  root.dataset.found = `filters ${filters} changed ${changed} restored ${restored} up ${up} down ${down} various ${various}`;
})();
</script>
END

read_by_someone() {  # FILE
  cat "$1" "$folder/reader.html" >"$folder/read.html"
  open_page "$folder/read.html"
  local found filters
  found=$(grep -o 'data-found="[^"]*"' "$folder/dom" || true)
  filters=$(grep -o 'filters [0-9]*' <<<"$found" | cut -d' ' -f2 || true)
  [[ ${filters:-0} -gt 0 ]] &&
    grep -q "changed $filters restored $filters up true down true various true" <<<"$found" ||
    { echo "$1: a reader found: ${found:-nothing}"; exit 1; }
}

page "$folder/sweep.sqlite" "$folder/sweep.html"
drawn "$folder/sweep.html" 4
read_by_someone "$folder/sweep.html"
page "$folder/run.json" "$folder/run.html"
drawn "$folder/run.html" 6

"$godwit" sweep "$folder/large.json" --out "$folder/large.sqlite"
page "$folder/large.sqlite" "$folder/large.html"
size=$(stat -c %s "$folder/large.html")
[[ $size -lt $((3 << 20)) ]] || { echo "the page of 10,000 points has $size bytes"; exit 1; }
drawn "$folder/large.html" 4
echo "10,000 points are a page of $size bytes"
echo "charts drawn, filters change them, tables sort, nothing complained of"
