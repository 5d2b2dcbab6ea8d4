#!/usr/bin/env bash
# Builds the core with no library but the compiler's own, links it with the small runtime of tests/freestanding, and
# lets it perform two migrations: on each compiler that is here, unoptimised and optimised.
set -euo pipefail
sources="$2"
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT

flags=(-std=c++20 -I"$sources" -fno-exceptions -fno-rtti -fno-stack-protector -fno-threadsafe-statics -static -nostdlib
  -ffp-contract=off -Wall -Wextra -Wno-missing-field-initializers -Werror)
built=0
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  for level in -O0 -O2; do
    "$compiler" "${flags[@]}" "$level" "$sources"/core/*.cpp "$sources"/tests/freestanding/*.cpp -lgcc -o "$out/migrate"
    status=0
    "$out/migrate" || status=$?
    echo "$compiler $level: exit status $status"
    [[ $status -eq 0 ]]
    built=$((built + 1))
  done
done
[[ $built -gt 0 ]]
