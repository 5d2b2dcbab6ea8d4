#!/usr/bin/env bash
# Runs the core's own tests, a million sends in one call among them, under AddressSanitizer and UndefinedBehaviorSanitizer.
# `cmake --workflow --preset asan` does that for everything, which takes too long for each change.
set -euo pipefail
sources="$2"
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT

# shellcheck disable=SC2054  # the commas are the compiler's
flags=(-std=c++20 -O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all
  -ffp-contract=off -I"$sources")
# shellcheck disable=SC2016  # the inner shell expands
printf '%s\0' "$sources"/core/*.cpp "$sources"/tests/core/*_test.cpp "$sources"/tests/support/panic.cpp |
  xargs -0 -P 2 -I{} bash -c 'source="$1"; shift; g++ "${@:2}" -c "$source" -o "$1/${source//\//_}.o"' _ {} "$out" "${flags[@]}"
g++ "${flags[@]}" "$out"/*.o -lgmock_main -lgmock -lgtest -lrapidcheck -lpthread -o "$out/core_tests"
RC_PARAMS=seed=20260101 "$out/core_tests" --gtest_brief=1
