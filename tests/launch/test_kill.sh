#!/usr/bin/env bash
# test_kill: a few rounds of tests/kill_checkpoints.sh.
exec "$(dirname "${BASH_SOURCE[0]}")/../kill_checkpoints.sh" 10
