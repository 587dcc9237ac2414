#!/usr/bin/env bash
# test_text: text becomes tokens and a vocabulary, and what is no text is refused.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

import() { # CODE MESSAGE ARGUMENT ...: a refusal, and no file is left
    local code=$1 message=$2
    shift 2
    expect "$code" "$lockstep" import text "$@" -o no.h5
    says "lockstep: $message"
    [ ! -e no.h5 ] || fail 'a refused import left a file'
}

# --- What import prints, and what it refuses.
printf 'hello' >hello.txt
expect 0 "$lockstep" import text hello.txt -o hello.h5
says_only $'train  x uint8 [5]\nvocabulary  4 characters\nwrote hello.h5'
printf 'the cat\nand the hat\n' | gzip >words.txt.gz
expect 0 "$lockstep" import text words.txt.gz --level word --vocabulary 2 --test 3 -o words.h5
says_only $'train  x uint8 [4]\ntest   x uint8 [3]\nvocabulary  3 words of 5; 3 tokens (42.86 %) are others: <unk>\nwrote words.h5'
expect 0 "$lockstep" verify words.h5
printf 'caf\xe9' >latin.txt
: >empty.txt
printf x >one.txt
import 65 'latin.txt: byte 3 (0xe9) is not UTF-8; expected text in UTF-8: convert it (iconv -f LATIN1 -t UTF-8), or take --level byte' \
    hello.txt latin.txt
expect 0 "$lockstep" import text latin.txt --level byte -o latin.h5
import 65 'hello.h5: byte 0 (0x89) is not UTF-8 (it is an HDF5 file' hello.h5
import 65 'empty.txt: is empty; expected text' hello.txt empty.txt
import 65 'one.txt: of 1 tokens 1 are for train; expected at least 2, to predict the next from' one.txt
import 65 'hello.txt: of 5 tokens 1 are for test; expected at least 2, to predict the next from' hello.txt --test 0.3
import 65 "one.txt: 'x' at byte 0 is not in the vocabulary of hello.h5, which has no token for unknown ones" \
    hello.txt one.txt --vocabulary hello.h5
import 65 "--vocabulary: expected a number or an HDF5 file: none.h5: can't open" hello.txt --vocabulary none.h5
import 64 '--vocabulary=0: expected 1 to 16777215 tokens' hello.txt --vocabulary 0
import 64 '--valid-files=1 and --test-files=1 of 2 file(s) leave none for training' hello.txt one.txt --valid-files 1 --test-files 1
import 64 '--valid and --valid-files, --test and --test-files: give one of them' hello.txt one.txt --valid-files 1 --valid 2
expect 64 "$lockstep" import text hello.txt --test 1.5 -o no.h5
says "--test: expected a whole number, 0 or more, or a share below 1, found '1.5'"
expect 64 "$lockstep" import synthetic --valid 0.5 -o no.h5
says 'shares are for text and for many files: give synthetic a number'
