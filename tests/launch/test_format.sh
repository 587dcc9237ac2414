#!/usr/bin/env bash
# test_format: every C and C++ file is as clang-format would write it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
find core dist io launch tests \( -name '*.c' -o -name '*.h' -o -name '*.cc' -o -name '*.cpp' \) -print0 |
    xargs -0 clang-format --dry-run -Werror || {
    echo "To put it right: clang-format -i and the files named above" >&2
    exit 1
}
