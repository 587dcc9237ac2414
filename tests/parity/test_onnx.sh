#!/usr/bin/env bash
# test_onnx: ONNX files of nets, checked by python3-onnx, and run by OpenCV and by onnx_numpy.py; what is refused.
source "$(dirname "${BASH_SOURCE[0]}")/../launch/lib.sh"

export PYTHONDONTWRITEBYTECODE=1
"$python" "$tests/parity/onnx_nets.py" "$BUILD"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
run: vae
model: vae widths=144,8 latent=2
batch: 8
steps: 1
END
expect 0 "$lockstep" train job.yaml
expect 64 "$lockstep" export vae -o vae.onnx
says 'an ONNX file holds one net, here are encoder, decoder: name one by --net'
expect 64 "$lockstep" export vae -o vae.onnx --net coder
says '--net coder: there is no such net; there is encoder, decoder'
[ ! -e vae.onnx ] || fail 'a refused export left a file'
expect 0 "$lockstep" export vae -o vae.onnx --net decoder
says 'vae.onnx: net decoder, '
expect 0 ranks 2 "$lockstep" export vae -o same.onnx --net decoder
cmp vae.onnx same.onnx
expect 0 "$lockstep" train job.yaml run=clean transform='normalize mean=0 deviation=1'
expect 0 "$lockstep" export clean -o clean.onnx --net encoder --transforms
expect 64 "$lockstep" export clean -o other.onnx --net decoder --transforms # it takes codes
says '--transforms: decoder begins with an input line of its own'
expect 64 "$lockstep" export vae -o vae.onnx --names torchvision
says '--names goes with an output that ends in .safetensors'
expect 64 "$lockstep" export vae -o vae.safetensors --net decoder
says '--net goes with an output that ends in .onnx'

# --- Lines whose result depends on where a row ends are refused where rows have lengths; others are not.
data spans spans.h5
cat >spans.yaml <<'END'
data: spans.h5
run: spans
net: |
  embedding vocabulary=9 width=4
  lstm units=6
  dense each=1 units=5
batch: 8
steps: 1
END
expect 0 "$lockstep" train spans.yaml
expect 0 "$lockstep" export spans -o spans.onnx
for line in 'tdnn units=6 kernel=3 pad=1' 'gru units=6 reverse=1'; do
    sed "s/^  lstm .*/  $line/; s/run: .*/run: ends/" spans.yaml >ends.yaml
    expect 0 "$lockstep" train ends.yaml --resume=never --overwrite
    for source in ends "ends.yaml --weights $(checkpoint ends 1)"; do
        expect 64 "$lockstep" export $source -o refused.onnx
        says "${line%% *}1: what this ${line%% *} makes of a row depends on where the row ends, as \`length\` of the data says"
    done
done
for lines in $'dense units=60\nreshape shape=12,5' $'reshape shape=72\ndense units=60\nreshape shape=12,5'; do
    expect 0 "$lockstep" train spans.yaml run=flat net=$'embedding vocabulary=9 width=4\nlstm units=6\n'"$lines" \
        --resume=never --overwrite # numbers behind a row's end, which are 0 here
    expect 64 "$lockstep" export flat -o refused.onnx
    says 'dense1: what this dense makes of a row depends on where the row ends'
done
expect 0 "$lockstep" train spans.yaml run=flat --resume=never --overwrite \
    net=$'embedding vocabulary=9 width=4\nreshape shape=6,8\nlstm units=6\nreshape shape=12,3\ndense each=1 units=5'
expect 64 "$lockstep" export flat -o refused.onnx
says 'reshape1: what this reshape makes of a row depends on where the row ends'
expect 0 "$lockstep" train spans.yaml run=norm net=$'embedding vocabulary=9 width=4\nlstm units=6 norm=1\ndense each=1 units=5'
expect 64 "$lockstep" export norm -o refused.onnx
says 'lstm1: an lstm with norm=1 has no form in ONNX'
[ ! -e refused.onnx ] || fail 'a refused export left a file'
