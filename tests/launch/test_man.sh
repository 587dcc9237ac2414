#!/usr/bin/env bash
# test_man: the manual page: no warning of mandoc, and every command, option and job key is in it.
# shellcheck source=tests/launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$lockstep" man >lockstep.1
expect 0 mandoc -T lint -W warning lockstep.1
says_only ''
mandoc -T ascii -O width=200 lockstep.1 | sed $'s,.\b,,g' >page

holds() {
    grep -qF -- "$1" page || fail "expected in the manual page: $1"
}

for command in $("$lockstep" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p'); do
    holds "lockstep $command [OPTION ...]"
    "$lockstep" "$command" --help >help
    sed -n "/^   lockstep $command$/,/^   lockstep [a-z]*$/p" page >section
    [ -s section ] || fail "expected a section of $command"
    for word in $(sed -nE 's/^ +(-[^ ], )?(--[a-z0-9-]+(=[^ ]*)?)(  .*|$)/\2/p' help); do
        [ "$word" = --help ] || [ "$word" = --usage ] || grep -qF -- "$word" section ||
            fail "expected the option $word of $command in the manual page"
    done
done
for key in $("$lockstep" man --keys); do
    holds "$key: "
done
for name in lenet conv2d adam cosine supervised scale-crop; do
    holds "  $name"
done
"$lockstep" man --keys >keys
for key in data batch optimizer evaluate.split checkpoint.keep; do
    grep -qx "$key" keys || fail "expected the job key $key"
done

# The backslashes of an example come through.
holds 'train-images-idx3-ubyte.gz \'

# The build made it, too.
[ ! -e "$BUILD/lockstep.1" ] || grep -q '^\.TH LOCKSTEP 1 ' "$BUILD/lockstep.1" || fail "$BUILD/lockstep.1 is no manual page"
