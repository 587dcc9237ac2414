#!/usr/bin/env bash
# test_vision: compares AlexNet, VGG-16 and ResNets with torchvision's: one pass at 224x224, three training steps.
source "$(dirname "${BASH_SOURCE[0]}")/../launch/lib.sh"

export PYTHONDONTWRITEBYTECODE=1
"$python" "$tests/parity/vision.py" "$BUILD"
