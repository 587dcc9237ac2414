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
expect 64 "$lockstep" export vae -o vae.onnx --names torchvision
says '--names goes with an output that ends in .safetensors'
expect 64 "$lockstep" export vae -o vae.safetensors --net decoder
says '--net goes with an output that ends in .onnx'
