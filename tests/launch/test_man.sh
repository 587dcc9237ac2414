#!/usr/bin/env bash
# test_man: the manual page: no warning of mandoc, and every command, option, job key, exit code, environment variable
# and name that a job can use is in it.
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
for name in $("$lockstep" list | sed -nE 's/^  ([a-z][a-z0-9-]*) .*/\1/p'); do
    holds "  $name"
done
for option in $("$lockstep" list | sed -nE 's/^    ([a-z_]+=[^ ]*).*/\1/p'); do
    holds "$option: "
done

# Every exit code that an error can carry, and every variable that the program or the scripts read.
sed -n '/^EXIT STATUS/,/^[A-Z]* [A-Z]*$/p' page >codes
for code in 0 $(sed -nE 's/^ *LS_[A-Z_]+ = ([0-9]+),? .*/\1/p' "$tests/../core/check.h"); do
    grep -qE "^ +$code " codes || fail "expected the exit code $code"
done
[ "$(grep -cE '^ +[0-9]+ ' codes)" -ge 7 ] || fail 'expected the exit codes in core/check.h'
sed -n '/^ENVIRONMENT/,/^EXIT STATUS/p' page >environment
for name in $(grep -rhoE --include='*.[ch]' '"LOCKSTEP_[A-Z_]+"' "$tests/../"{core,dist,io,launch} | tr -d '"') \
    $(grep -hoE '\b(LOCKSTEP_[A-Z]+)\b' "$tests"/../cluster/*.sh "$tests"/../cluster/*.sbatch); do
    grep -qE "^ +$name( |\$)" environment || fail "expected the environment variable $name"
done
"$lockstep" man --keys >keys
for key in data batch optimizer evaluate.split checkpoint.keep; do
    grep -qx "$key" keys || fail "expected the job key $key"
done

# The backslashes of an example appear on the page.
holds 'train-images-idx3-ubyte.gz \'

# The build wrote the page, too.
[ ! -e "$BUILD/lockstep.1" ] || grep -q '^\.TH LOCKSTEP 1 ' "$BUILD/lockstep.1" || fail "$BUILD/lockstep.1 is no manual page"
