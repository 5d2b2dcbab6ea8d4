#!/bin/sh
# Makes the recordings of this folder anew: make_recordings.sh [redis|sqlite|compile]...
# Needs Linux 6.7 or later on x86-64 and the Debian packages redis-server, redis-tools, sqlite3, g++,
# nlohmann-json3-dev and libboost-graph-dev. GODWIT names the command; the default is build/release/godwit.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
godwit=${GODWIT:-$here/../../build/release/godwit}
work=$(mktemp -d)
load=
trap 'kill $load 2>/dev/null || true; rm -rf "$work"' EXIT
cp "$here/compile.cpp" "$here/sqlite.sql" "$work"
cd "$work"

version() { dpkg-query -W -f '${Package} ${Version}' "$1"; }

# 150,000 values of 700 bytes set at random among 100,000 keys; then three readers for each writer.
redis() {
  {
    while [ ! -S redis.sock ]; do sleep 0.05; done
    redis-benchmark -s redis.sock -q -c 4 -n 150000 -r 100000 -d 700 -t set
    redis-benchmark -s redis.sock -q -c 3 -n 100000000 -r 100000 -d 700 -t get &
    redis-benchmark -s redis.sock -q -c 1 -n 100000000 -r 100000 -d 700 -t set || true
    wait
  } >load.log 2>&1 &
  load=$!
  "$godwit" record -o "$here/redis.gwt" --interval 10ms --duration 20s --note "$(version redis-server)" -- \
    redis-server --port 0 --unixsocket redis.sock --save "" --appendonly no --loglevel warning --logfile redis.log
  wait $load || true
  load=
}

# A database in memory: a bulk load, an index, updates at random places, a report, a hot spot, a purge.
sqlite() {
  "$godwit" record -o "$here/sqlite.gwt" --interval 10ms --measure-slowdown --note "$(version sqlite3)" -- \
    sqlite3 -batch -init sqlite.sql :memory: .quit
}

# One large C++ file, as the compiler driver runs it: compiler, assembler. The compiler collects garbage as it would
# in a guest of this size; on a large host it would take twice the memory.
compile() {
  "$godwit" record -o "$here/compile.gwt" --interval 10ms --measure-slowdown --note "$(version g++-12)" -- \
    g++ -std=c++20 -O2 --param ggc-min-expand=30 --param ggc-min-heapsize=32768 -c -o compile.o compile.cpp
}

[ $# -gt 0 ] || set -- redis sqlite compile
for recording in "$@"; do "$recording"; done
