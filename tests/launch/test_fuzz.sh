#!/usr/bin/env bash
# test_fuzz: every command accepts or refuses files that were damaged at random, by seed, and never crashes or hangs.
#
#   test_fuzz.sh [COUNT]    (25). For a longer search run fuzz_files.py beside it, on a build with sanitizers
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

expect 0 "$python" "$tests/launch/fuzz_files.py" "$lockstep" 0 "${1:-25}"
says ', 0 of them not borne'
