#!/usr/bin/env bash
# test_fuzz: files damaged at random, by seed, are taken or refused by every command, without a crash or a hang.
#
#   test_fuzz.sh [COUNT]    (25); a longer search: fuzz_files.py beside it, on a build with sanitizers
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

expect 0 "$python" "$tests/launch/fuzz_files.py" "$lockstep" 0 "${1:-25}"
says ', 0 of them not borne'
