#!/usr/bin/env bash
# test_parity: compares passes and training steps with PyTorch, and gradients with differences; shows that these tests can fail.
source "$(dirname "${BASH_SOURCE[0]}")/../launch/lib.sh"

for kind in images large flat regression binary signs codes tokens lengths_nan; do
    data $kind $kind.h5
done
export PYTHONDONTWRITEBYTECODE=1
echo 'seed: 3' >parity.yaml
"$python" "$tests/parity/parity.py" "$BUILD"
"$python" "$tests/parity/lengths.py" "$BUILD"
"$python" "$tests/parity/updates.py" "$BUILD"
"$python" "$tests/parity/gan.py" "$BUILD"
"$python" "$tests/parity/autoencoder.py" "$BUILD"
"$python" "$tests/parity/vae.py" "$BUILD"
"$python" "$tests/parity/rbm.py" "$BUILD"
"$python" "$tests/parity/likelihood.py" "$BUILD"
"$python" "$tests/parity/streams.py" "$BUILD"
"$python" "$tests/parity/random_nets.py" "$BUILD" --nets 24 --seed 1

# lockstep-double's own gradient check notices a gradient that is not the derivative of the function.
cat >job.yaml <<'END'
data: large.h5
model: lenet classes=10
END
expect 0 "$lockstep-double" check job.yaml --rows 4
says 'net/conv1/weight '
same 'parameters checked' 10 "$(grep -c ' ok$' out)"
expect 0 "$lockstep-double" check job.yaml model='mlp widths=784,30,10 activation=tanh' --rows 4
expect 70 "$lockstep-double" check job.yaml --rows 4 $'net=dense units=8\nactivation function=unit-step surrogate=ste\ndense units=10'
says WRONG
expect 0 "$lockstep-double" check job.yaml model='dcgan filters=2 latent=5' objective='gan k=2' --rows 6
says 'discriminator/conv2d1/weight '
says 'generator/deconv2d1/weight '
expect 0 "$lockstep-double" check job.yaml model='rbm hidden=40' objective='rbm k=2 sparsity_cost=0.1' --rows 6
says 'net/dense1/visible_bias '
expect 0 "$lockstep-double" check job.yaml model='rbm hidden=40 hidden_units=nrelu' objective='rbm chains=5 units=gaussian hidden=nrelu' --rows 6
same 'parameters checked' 3 "$(grep -c ' ok$' out)"
expect 64 "$lockstep" check job.yaml
says 'in float the differences drown in rounding: run lockstep-double check, or ask for a --dump'
