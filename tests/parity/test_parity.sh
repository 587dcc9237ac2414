#!/usr/bin/env bash
# Parity with PyTorch through `check --dump`, and of the optimizers through checkpoints.
source "$(dirname "${BASH_SOURCE[0]}")/../launch/lib.sh"
$python "$tests/parity/parity.py" "$BUILD"
