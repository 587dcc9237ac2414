#!/usr/bin/env bash
# test_text: text becomes tokens and a vocabulary, and what is no text is refused; a net learns "hello" and writes it; n-grams.
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
expect 65 "$lockstep" import h5 hello.h5 latin.h5 -o no.h5
says 'hello.h5 has a vocabulary of '
says 'Expected the same: '
expect 0 "$lockstep" import h5 hello.h5 hello.h5 -o twice.h5
import 65 'hello.h5: is an HDF5 file (a data set already, or one for import h5); expected text in UTF-8' hello.h5
mkfifo pipe.txt
import 64 'pipe.txt: is no regular file, but text is read twice: write it to a file first' hello.txt pipe.txt
printf '\xff\xfeh\0' >wide.txt
import 65 'wide.txt: is UTF-16 text (save it as UTF-8); expected text in UTF-8' wide.txt
mkdir -p texts && cp hello.txt texts && tar -cf texts.tar texts
import 65 'texts.tar: is a tar archive (tar -xf unpacks it); expected text in UTF-8, which byte ' texts.tar
printf 'PK\003\004\n\n%%\xff' >packed.txt # as a zip archive begins, whose first bytes are characters
import 65 'packed.txt: is a zip archive, or a spreadsheet, .npz or .pt file (unzip or export it); expected text in UTF-8, which byte 7 ' \
    packed.txt
import 65 'empty.txt: is empty; expected text' hello.txt empty.txt
head -c 30 words.txt.gz >cut.txt.gz
import 65 "cut.txt.gz: can't be read after byte " cut.txt.gz
says 'unexpected end of file'
printf '\xef\xbb\xbfhello' >marked.txt # a byte order mark is no character, but three bytes
expect 0 "$lockstep" import text marked.txt --vocabulary hello.h5 -o marked.h5
says 'train  x uint8 [5]'
expect 0 "$lockstep" import text marked.txt --level byte -o marked-byte.h5
says 'train  x uint8 [8]'
import 65 'one.txt: of 1 tokens 1 are for train; expected at least 2, to predict the next from' one.txt
import 65 'hello.txt: of 5 tokens 1 are for test; expected at least 2, to predict the next from' hello.txt --test 0.3
import 65 'hello.txt: of 5 tokens 0 are for valid; expected at least 2, to predict the next from' hello.txt --valid 0.1
printf '   ' >blank.txt
import 65 'words.txt.gz and the other files: of 7 tokens 0 are for test; expected at least 2' words.txt.gz blank.txt \
    --test-files 1 --level word
printf 'hello hello' >more.txt
import 65 'hello.txt and the other files: of 21 tokens 0 are for valid; expected at least 2' hello.txt more.txt hello.txt \
    --valid-files 1 --test 9
import 64 '/tmp: is a directory: name the files in it, such as DIRECTORY/*.txt' /tmp
expect 64 "$lockstep" import text hello.txt --seed 5 -o no.h5
says '--seed does not go with text'
import 65 "one.txt: 'x' at byte 0 is not in the vocabulary of hello.h5, which has no token for unknown ones" \
    hello.txt one.txt --vocabulary hello.h5
import 65 "--vocabulary: expected a number or an HDF5 file: none.h5: can't open" hello.txt --vocabulary none.h5
import 64 '--vocabulary=0: expected 1 to 16777215 tokens' hello.txt --vocabulary 0
import 64 '--valid-files=2 and --test-files=1 are more than the 2 file(s)' hello.txt one.txt --valid-files 2 --test-files 1
import 64 '--valid and --valid-files, --test and --test-files: give one of them' hello.txt one.txt --valid-files 1 --valid 2
expect 64 "$lockstep" import text hello.txt --test 1.5 -o no.h5
says "--test: expected a whole number, 0 or more, or a share below 1, found '1.5'"
expect 64 "$lockstep" import synthetic --valid 0.5 -o no.h5
says 'shares are for text and for many files: give synthetic a number'

# A control character takes four bytes of a vocabulary: 2^28 bytes of lines from a fourth of that.
"$python" -c '
for i in range(17000):
    print(f"{i:06}" + "\1" * 4090)' >large.txt
import 65 'large.txt: the vocabulary of 17001 words would take 278239005 bytes; expected at most 268435456: take fewer' large.txt --level word
expect 0 "$lockstep" import text large.txt --level word --vocabulary 9 -o few.h5
rm large.txt

# --- "hello": every next letter is learned, and written again, by what the checkpoint holds alone.
mkdir runs
mv hello.h5 runs
expect 0 "$lockstep" train "$tests/../launch/jobs/hello.yaml"
expect 0 "$lockstep" evaluate runs/hello --split train --json
"$python" -c 'import json; found = json.load(open("out")); assert found["accuracy"] == 1 and sum(map(sum, found["confusion"])) == 4, found'
mv runs/hello.h5 away.h5
expect 0 "$lockstep" import text hello.txt --vocabulary runs/hello/checkpoints/best.h5 -o again.h5
"$python" -c '
import h5py
again, before = h5py.File("again.h5"), h5py.File("away.h5")
assert (again["train/x"][()] == before["train/x"][()]).all()'
expect 0 "$lockstep" generate runs/hello --prime h --length 4 --temperature 0
says_only hello
expect 0 ranks 2 "$lockstep" generate runs/hello --prime he --length 3 --top 1 --seed 5
says_only hello

# A job file and the parameters of a checkpoint will do as well; a file of tensors has no vocabulary, but the data has.
hello=$tests/../launch/jobs/hello.yaml
expect 0 "$lockstep" generate "$hello" --weights runs/hello/checkpoints/best.h5 --prime h --length 4 --temperature 0
says_only hello
expect 0 "$lockstep" export runs/hello -o hello.safetensors
expect 0 ranks 2 "$lockstep" generate "$hello" --weights hello.safetensors --data away.h5 --prime h --length 4 --temperature 0
says_only hello

# --- Logits that overflow choose nothing.
"$python" - <<'END'
import json, struct, numpy
data = bytearray(open("hello.safetensors", "rb").read())
begin = 8 + struct.unpack("<Q", data[:8])[0]
(first, last), = [v["data_offsets"] for k, v in json.loads(data[8:begin]).items() if k.endswith("output/weight")]
values = numpy.where(numpy.arange((last - first) // 4) % 3, 3e38, -3e38).astype("<f4")
data[begin + first:begin + last] = values.tobytes()
open("huge.safetensors", "wb").write(data)
END
expect 70 "$lockstep" generate "$hello" --weights huge.safetensors --data away.h5 --prime he --length 4
says 'token 1: the logits of the net are not finite'

# --- The perplexity of a text by itself, however short.
printf 'hell' >hell.txt
expect 0 "$lockstep" import text hell.txt --vocabulary away.h5 --test-files 1 -o hell.h5
says_only $'test   x uint8 [4]\nvocabulary  4 characters\nwrote hell.h5'
expect 0 "$lockstep" evaluate runs/hello --data hell.h5
says 'tokens    3'
says 'accuracy  1.000000'
expect 0 "$lockstep" inspect hell.h5
grep -q 'vocabulary .* uint8  *-  *-  *-$' out || fail "bytes of words as numbers: $(cat out)"

# --- A reader who takes his time, as a pager does, is no halt.
"$lockstep" generate runs/hello --prime h --length 300000 --stall-warn 1s --stall-abort 2s 2>err | { sleep 4; wc -c >bytes; }
same 'characters' "$(cat bytes)" 300002

# --- The same seed and prime write the same text, another seed another; less temperature keeps to what is likely.
write() { # ARGUMENT ...
    expect 0 "$lockstep" generate runs/hello --prime h --length 200 "$@"
    cat out
}
text=$(write --temperature 3 --seed 7)
same 'one seed' "$text" "$(write --temperature 3 --seed 7)"
same 'more ranks' "$text" "$(ranks 3 "$lockstep" generate runs/hello --prime h --length 200 --temperature 3 --seed 7)"
different 'two seeds' "$text" "$(write --temperature 3 --seed 8)"
same 'letters' 201 "${#text}"
same 'the likeliest' "$(write --temperature 0)" "$(write --temperature 0.001)"
expect 64 "$lockstep" generate runs/hello --prime 'h e'
says_only "lockstep: --prime: ' ' at byte 1 is not in the vocabulary of runs/hello/checkpoints/best.h5, so the net does not know it: leave it out"
{ "$lockstep" generate runs/hello --length 100000 2>out || echo $? >code; } | head -c 5 >head.txt
same 'five letters, exit code 74, and no word' '5 74 0' "$(wc -c <head.txt) $(cat code) $(wc -c <out)"
expect 64 "$lockstep" generate runs/hello --rows 3
says 'was trained on text'
expect 64 "$lockstep" generate runs/hello --force
says 'was trained on text'
expect 64 "$lockstep" generate runs/hello -o text.png
says 'text.png: a net of text writes to the standard output'
expect 64 "$lockstep" generate runs/hello --temperature -1
says "--temperature: expected a number from 0 to 1000, found '-1'"
expect 64 "$lockstep" generate runs/hello --length 5 --plane
says 'rows and pictures have options of their own'

# --- What comes next is one token of the vocabulary.
expect 64 "$lockstep" train "$hello" data=away.h5 run=no model='rnn units=8 layers=1 classes=40'
says 'the net has 40 outputs for the next token, but the vocabulary of away.h5 has 4 characters'

# --- Other words for the same numbers are refused, with both: by evaluation and by a run that goes on.
printf 'jelly' >jelly.txt
expect 0 "$lockstep" import text jelly.txt -o jelly.h5
expect 65 "$lockstep" evaluate runs/hello --data jelly.h5 --split train
says "runs/hello/checkpoints/best.h5 has a vocabulary of 4 characters, of which token 2 is 'h'; jelly.h5 has one of 4 characters, of which token 2 is 'j'"
expect 65 "$lockstep" train "$tests/../launch/jobs/hello.yaml" data=jelly.h5 epochs=200
says 'has a vocabulary of 4 characters'
expect 65 "$lockstep" train "$tests/../launch/jobs/hello.yaml" data=jelly.h5 run=no --weights runs/hello/checkpoints/best.h5
says 'runs/hello/checkpoints/best.h5 has a vocabulary of 4 characters'
expect 65 "$lockstep" evaluate "$tests/../launch/jobs/hello.yaml" --weights runs/hello/checkpoints/best.h5 --data jelly.h5 --split train
says 'runs/hello/checkpoints/best.h5 has a vocabulary of 4 characters'
expect 0 "$lockstep" train "$tests/../launch/jobs/hello.yaml" data=jelly.h5 run=jelly epochs=1 evaluate.every=never \
    --weights runs/hello/checkpoints/best.h5 --except net/layer1
expect 64 "$lockstep" train "$tests/../launch/jobs/hello.yaml" data=jelly.h5 run=no model='rnn units=8 embed=2 vocabulary=9'
says 'the net takes vocabulary=9 tokens, but the vocabulary of jelly.h5 has 4 characters'

# --- Words and bytes; states go on in generation, of every kind of layer; a net that reads backwards writes nothing.
for i in {1..60}; do echo 'the cat sat on the mat , and the dog sat on the log .'; done >mat.txt
for level in word byte; do
    expect 0 "$lockstep" import text mat.txt --level $level -o mat-$level.h5
    for model in 'lstm carry=1 peephole=1' 'gru layers=2 embed=6' 'gru reset=after carry=1'; do
        expect 0 "$lockstep" train "$tests/../launch/jobs/hello.yaml" data=mat-$level.h5 run=mat "model=$model units=24" unroll=20 batch=4 \
            steps=150 optimizer='adam rate=0.02 clip=1' evaluate.every=never --resume=never --overwrite
        expect 0 "$lockstep" generate mat --length 60 --temperature 0 --prime 'the cat'
        [ $level = byte ] && says 'the cat sat on the ' || says 'the cat sat on the mat , and the dog sat on the log .'
    done
done

# --- Nets that take several steps together, trained on rows, write nothing.
"$python" - <<'PYTHON'
import h5py
with h5py.File("away.h5") as text, h5py.File("rows.h5", "w") as made:
    text.copy("vocabulary", made)
    made["train/x"], made["train/y"] = text["train/x"][:4][None], text["train/x"][1:5][None]
    made["train/y"].attrs["classes"] = 4
with h5py.File("away.h5") as text, h5py.File("last.h5", "w") as made:
    text.copy("vocabulary", made)
    made["train/x"], made["train/y"] = text["train/x"][:4][None], text["train/x"][4:5]
    made["train/y"].attrs["classes"] = 4
PYTHON
expect 0 "$lockstep" train "$tests/../launch/jobs/hello.yaml" data=last.h5 run=last model='rnn units=4 last=1 classes=4' unroll=0 epochs=1 \
    evaluate.every=never
expect 64 "$lockstep" generate last
says "'net' gives one output for all steps (last=1?): text is written by a net that predicts the next token at each step"
refuse() { # LINES WORDS
    expect 0 "$lockstep" train "$tests/../launch/jobs/hello.yaml" data=rows.h5 run=flat model= unroll=0 epochs=1 evaluate.every=never \
        --resume=never --overwrite net="$1"
    expect 64 "$lockstep" generate flat
    says "the net can't be applied to text token after token: $2"
}
refuse $'onehot vocabulary=4\ndense units=16\nreshape shape=4,4' 'net/reshape1 (reshape) takes several steps together'
refuse $'onehot vocabulary=4\nrnn units=4 reverse=1' 'net/rnn1 (rnn) takes several steps together, or later ones first'
refuse $'onehot vocabulary=4\ntdnn units=4 kernel=3 pad=1' 'net/tdnn1 (tdnn) takes several steps together'
refuse $'onehot vocabulary=4\ntimepool\ndense units=16\nreshape shape=4,4' 'net/timepool1 (timepool) takes several steps together'

# --- What can't be read of a prime, and data that nobody reads, are errors of the command line.
expect 64 "$lockstep" generate runs/hello --prime $'h\xff'
says_only 'lockstep: --prime: byte 1 (0xff) is not UTF-8; expected text in UTF-8'
expect 64 "$lockstep" generate runs/hello --data away.h5
says '--data=away.h5: no rows are read, and the vocabulary is that of runs/hello/checkpoints/best.h5: leave --data out'

# --- Text is imported in bounded memory, and written as it is made: the first character is there while the rest is not.
"$python" -c 'print("one two three\n" * 6000000)' >much.txt # 84 MB
(ulimit -v 400000 && "$lockstep" import text much.txt -o much.h5 >/dev/null) || fail 'the import of 84 MB took more than 400 MB'
rm much.txt much.h5
mkfifo pipe
"$lockstep" generate runs/hello --prime h --length 100000000 >pipe 2>err &
writer=$!
same 'the first characters, while others are to come' 8 "$(head -c 8 <pipe | wc -c)"
finished=0
wait $writer || finished=$?
[ $finished != 0 ] || fail 'expected a writer that nobody reads to have ended early'

# --- A prime is written as it is given, unknown tokens too, which a notice counts; they are never drawn.
for level in char byte word; do
    [ $level = word ] && most=4 || most=9
    expect 0 "$lockstep" import text mat.txt --level $level --vocabulary $most -o small.h5 --force
    expect 0 "$lockstep" train "$hello" data=small.h5 run=few model='rnn units=4' unroll=20 batch=4 steps=1 evaluate.every=never \
        --resume=never --overwrite
    expect 0 "$lockstep" generate few --prime $'the\tüber cat' --length 200 --seed 3
    says $'the\tüber cat'
    says 'are not in the vocabulary: the net takes them for the unknown one'
    ! grep -q '<' out || fail "an unknown token was drawn: $(cat out)"
done
says 'lockstep: --prime: of its 3 tokens 2 are not'

# --- n-grams are those of a direct count.
expect 0 "$lockstep" import text "$tests/bench/ngram.py" --valid 200 --test 300 -o ngram.h5
"$python" - "$tests/bench" ngram.h5 <<'PYTHON'
import collections, math, sys
import h5py
sys.path.insert(0, sys.argv[1])
import ngram

MOST = 4
with h5py.File(sys.argv[2]) as file:
    train, valid, test = (file[f"{split}/x"][:] for split in ngram.SPLITS)
    vocabulary = int(file["train/x"].attrs["classes"])

def grams(n):
    return collections.Counter(tuple(train[i:i + n]) for i in range(len(train) - n + 1))

def discounts(table):
    n = [sum(count == k for count in table.values()) for k in range(1, 5)]
    y = n[0] / (n[0] + 2 * n[1])
    found = [k - (k + 1) * y * n[k] / n[k - 1] for k in (1, 2, 3)]
    return [0] + [d if 0 < d < k else k / 2 for k, d in zip((1, 2, 3), found)]

def continued(n):
    return collections.Counter(longer[1:] for longer in grams(n + 1))

def mass(table):
    """Of each history: the tokens that follow it, with their counts."""
    following = collections.defaultdict(dict)
    for gram, count in table.items():
        following[gram[:-1]][gram[-1]] = count
    return following, discounts(table)

lower = {n: mass(continued(n)) for n in range(1, MOST + 1)}

def probability(history, token, n, highest):
    if n == 0:
        return 1 / vocabulary
    following, d = mass_of(n, highest)
    seen = following.get(history, {})
    below = probability(history[1:], token, n - 1, False)
    total = sum(seen.values())
    if not total:
        return below
    count = seen.get(token, 0)
    return (count - d[min(count, 3)] + sum(d[min(c, 3)] for c in seen.values()) * below) / total

raw = {n: mass(grams(n)) for n in range(1, MOST + 1)}
def mass_of(n, highest):
    return raw[n] if highest else lower[n]

found = ngram.evaluate([train, valid, test], vocabulary, MOST)
for n in range(1, MOST + 1):
    for k, text in enumerate((valid, test)):
        bits = 0
        for i in range(1, len(text)):
            use = min(n, i + 1)
            p = probability(tuple(text[i - use + 1:i]), text[i], use, use == n)
            bits -= math.log2(p)
        bits /= len(text) - 1
        assert abs(bits - found[n - 1][k]) < 1e-9, (n, k, bits, found)
    history = tuple(test[9 - n + 1:9])
    whole = sum(probability(history, token, n, True) for token in range(vocabulary))
    assert abs(whole - 1) < 1e-9, whole
PYTHON
