#!/usr/bin/env bash
# test_errors: the messages about a job, net or data file that is wrong. Nothing is written then; under mpirun one
# rank prints the message, and all end with the same code.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
data flat flat.h5
data regression regression.h5
"$python" "$tests/launch/bad_data.py"
cat >job.yaml <<'END'
data: images.h5
net: |
  hidden: dense units=9
  dense units=4
optimizer: sgd rate=0.1
run: run
steps: 2
END

refused() { # CODE MESSAGE ARGUMENT ...
    local code=$1 message=$2
    shift 2
    expect "$code" "$lockstep" "$@"
    says_only "lockstep: $message"
}

net() { # MESSAGE LINES
    refused 64 "command line: net: net, line $1" train job.yaml "net=$2"
}

value() { # MESSAGE KEY=VALUE
    refused 64 "$1" train job.yaml "$2"
}

# A net in the job file.
sed 's/units=9/unist=9/' job.yaml >misspelt.yaml
refused 64 "misspelt.yaml:2:6: net: net, line 1: 'hidden: dense unist=9': dense has no key unist: did you mean units? (known: units, visible, each, bias, init, scale, spectral, share, transpose)" \
    train misspelt.yaml
refused 64 'nowhere.yaml: cannot open the job file: No such file or directory' train nowhere.yaml

# Nets.
net "1: 'dens units=4': there is no layer dens: did you mean dense? (\`lockstep list layers\` has all)" 'dens units=4'
net "1: 'dense': dense needs units=N: its outputs, 1 or more" 'dense'
net "1: 'dense units=0': dense needs units=N: its outputs, 1 or more" 'dense units=0'
net "1: 'dense units=4x': dense: units=4x is not a whole number" 'dense units=4x'
net "1: 'dense units=4 units=5': units= is given twice" 'dense units=4 units=5'
net "2: 'a: dense units=4': the name a is taken: give this line another" $'a: dense units=4\na: dense units=4'
net "1: 'dense @b units=4': @b is no line above this one (a line can only read earlier lines, or @input)" 'dense @b units=4'
net "1: 'conv2d out=4 kernel=30': kernel 30x30 is larger than its input of 12x12 with pad 0,0: take a smaller kernel, or more pad" \
    'conv2d out=4 kernel=30'
net "2: 'maxpool kernel=2': takes images, height x width x channels, but its input is 5: a line \`reshape shape=HEIGHT,WIDTH,CHANNELS\` makes an image of it" \
    $'dense units=5\nmaxpool kernel=2'
net "1: 'activation function=rleu': there is no function rleu: did you mean relu? (\`lockstep list activations\` has all)" \
    'activation function=rleu'
net "1: 'dropout rate=1.5': dropout: rate=1.5 is out of range: 0 to 0.999" 'dropout rate=1.5'
value 'command line: net, with job.yaml: objective (default): net/dense1 cannot learn: the derivative of activation1 is 0 everywhere; give that line surrogate=ste, or a function with a slope' \
    $'net=dense units=9\nactivation function=sign\ndense units=4'
# A mistake on the command line is reported before one in the file.
value "command line: net, with job.yaml: objective (default): the net's output has 3 values, but the data has 4 classes" \
    'net=dense units=3'
printf 'objective: supervised loss=cross-entropy\n' | cat job.yaml - >objective.yaml
refused 64 "command line: model, with objective.yaml:8:12: objective: the net's output has 3 values, but the data has 4 classes" \
    train objective.yaml 'model=mlp widths=144,3'
refused 64 "command line: objective: there is no loss l2 (\`lockstep list losses\` has all)" \
    train objective.yaml 'model=mlp widths=144,3' 'objective=supervised loss=l2'

# Models.
expect 64 "$lockstep" train job.yaml model=lenett
says 'command line: model:'
says 'there is no model lenett: did you mean lenet?'
expect 64 "$lockstep" train job.yaml 'model=mlp widths=100,4'
says 'mlp: widths= begins with 100, but a row of the data has 144 numbers'
expect 64 "$lockstep" train job.yaml data=flat.h5 model=lenet
says 'lenet: takes images height x width x channels of at least 12x12, but a row of the data is 6'

# Nets by name, with inputs of their own, alone and beside a model.
sed '/^net:/,/units=4/d' job.yaml >nets.yaml
printf 'nets:\n  net: |\n    input 144\n    dense units=9\n    dense unist=4\n' >>nets.yaml
refused 64 "nets.yaml:6:8: nets.net: net, line 3: 'dense unist=4': dense has no key unist: did you mean units? (known: units, visible, each, bias, init, scale, spectral, share, transpose)" \
    train nets.yaml
refused 64 "command line: nets.net: net, line 2: 'input 4': the shape of a net's input stands once, before all layers" \
    train nets.yaml $'nets.net=dense units=4\ninput 4'
refused 64 'command line: nets.net, with nets.yaml: objective (default): the input of the net net is 7, but a row of the data is 12x12x1' \
    train nets.yaml $'nets.net=input 7\ndense units=4'
refused 64 "command line: nets.encoder, with job.yaml: objective (default): the objective supervised wants a net named 'net', which this model does not have; it has encoder" \
    train job.yaml 'nets.encoder=dense units=4'
refused 64 "command line: model: lenet has no net nte: did you mean net? (its nets are: net)" \
    train job.yaml model=lenet 'nets.nte=dense units=4'
value "command line: 'a/b' is no name of a net: use at most 47 letters, digits, '_' and '-'" 'nets.a/b=softmax'
expect 0 "$lockstep" train nets.yaml $'nets.net=input 144\ndense units=4' --dry-run
says "$(printf '  %-20s %-12s 144' input '')"
expect 0 "$lockstep" train job.yaml 'model=mlp widths=7,4' 'nets.net=dense units=4' --dry-run
says 'stage 1   supervised loss=cross-entropy; sgd rate=0.1; cosine warmup=1; batch 128'

# Other keys.
value "command line: optimizer: there is no optimizer sdg: did you mean sgd? (\`lockstep list optimizers\` has all)" optimizer=sdg
value "command line: schedule: there is no schedule cosin: did you mean cosine? (\`lockstep list schedules\` has all)" schedule=cosin
value 'command line: objective: there is no loss l2 (`lockstep list losses` has all)' 'objective=supervised loss=l2'
value 'command line: objective: there is no objective unsupervised: did you mean supervised? (`lockstep list objectives` has all)' \
    objective=unsupervised
value "command line: batch: expected a whole number, 1 or more (rows over all ranks), found '0'; write for example \`batch=128\`" batch=0
value "command line: unknown key 'bathc': did you mean 'batch'? Known here: data run model net nets transform unroll exact_conv seed shards accumulate split stages objective optimizer schedule train rows sampling bucket batch epochs steps evaluate checkpoint samples" bathc=3
value "command line: evaluate.split: expected a split of the data: train, valid or test, found 'dev'; write for example \`evaluate.split=valid\`" evaluate.split=dev
value "command line: stages.1.batch: this job has one stage: write stages.0.batch" stages.1.batch=9
value "command line: stages.1.optimizer.generator: this job has one stage: write stages.0.optimizer.generator" \
    'stages.1.optimizer.generator=sgd rate=0.1'
value 'command line: stages: expected keys within the braces, found {}' 'stages={}'
value 'command line: evalute: expected keys within the braces, found {}' 'evalute={}'
value "command line: evaluate.metric: there is no metric 'acuracy' in stage 1, which has: loss, accuracy" evaluate.metric=acuracy

expect 64 "$lockstep" train job.yaml train=net/dens2
says "command line: train: 'net/dens2' "
says 'did you mean net/dense2?'
expect 64 "$lockstep" train job.yaml 'train=net/hidden,'
says "command line: train: 'net/hidden,' has an empty place: expected PATTERN,..."
expect 0 "$lockstep" train job.yaml 'train=net/hidden, *bias' --dry-run
says '; trains net/hidden, *bias; batch 128'
value 'command line: rows: 204 rows are more than there are: images.h5 has 203 training rows' rows=204

# Data files.
bad_data() { # FILE MESSAGE
    refused 65 "$1: $2" train job.yaml data="$1"
}
bad_data none.h5 "can't open: No such file or directory"
bad_data job.yaml 'is not an HDF5 file'
bad_data . 'is a directory; expected an HDF5 file'
bad_data short.h5 'train/x has 20 rows, but train/y has 15; expected as many. Where only some rows have labels, let these come first, give the others any label, and take the first ones by `rows: N` in the stage that needs labels'
bad_data matlab.h5 'train/x has 144 rows, but train/y has 1; expected as many. If MATLAB wrote the file, its dimensions are in reverse order: `lockstep import h5 matlab.h5 -o NEW.h5 --matlab` turns them'
names='holds no data set: expected groups train, valid or test, each with x [rows, ...] and y, or x_train, y_train, ... at the root; found'
bad_data caffe.h5 "$names data, label; \`lockstep import h5 caffe.h5 -o NEW.h5 --rename data=train/x,label=train/y\` gives them names"
bad_data other_names.h5 "$names train (with data, label), val (with data, label); \`lockstep import h5 other_names.h5 -o NEW.h5 --rename data=x,label=y,val=valid\` gives them names"
bad_data keras.h5 'there is no train/x to train on; not used: training (the name for such rows is train)'
bad_data only_test.h5 'there is no train/x to train on'
bad_data empty.h5 'holds no data set: expected groups train, valid or test, each with x [rows, ...] and y, or x_train, y_train, ... at the root; found nothing'
bad_data texts.h5 'train/x holds texts; expected uint8, int8, uint16, int16, uint32, int32, int64, float32 or float64'
bad_data negative.h5 'train/y holds label -1 at row 0; expected whole numbers from 0 to 16777215. Where only some rows have labels, let these come first, give the others any label, and take the first ones by `rows: N` in the stage that needs labels; or y.attrs['"'ignore'"'] names the number that stands for none'
bad_data classes.h5 'train/y holds label 3 at row 3; expected 0 to 2 (attribute classes=3)'
bad_data link.h5 'train/x is a soft or external link; expected the data itself'
bad_data no_rows.h5 'train/x has 0 rows; expected at least one'
bad_data widths.h5 'rows of valid/x are 5, but those of train/x are 144'
expect 65 "$lockstep" train job.yaml data=cut.h5
says 'lockstep: cut.h5: has 20000 bytes, but should have '
says '; it was cut short'
expect 65 "$lockstep" train job.yaml data=no_targets.h5
says 'supervised training needs targets: train/y is missing in the data set'
refused 64 'evaluate.stop_after=3, but good.h5 has no rows of valid to judge by: import them (--valid N), or give evaluate.stop_after=0' train job.yaml data=good.h5 evaluate.stop_after=3
refused 64 'command line: evaluate.gap: no stage'"'"'s objective has a gap between the evaluated and the training rows (rbm has one); or leave evaluate.gap out' train job.yaml data=good.h5 evaluate.gap=3
expect 64 "$lockstep" train job.yaml data=regression.h5
says 'the loss cross-entropy takes class labels (whole numbers), but a target of the data is 2 of real numbers: use squared-error or bce'

takes='the loss cross-entropy takes class labels (whole numbers), but a target of the data is'
for file in floats column; do
    expect 64 "$lockstep" train job.yaml data=$file.h5
    says "$takes 1 of real numbers: train/y holds whole numbers: if they are classes, store them as integers, or set y.attrs['classes'] = 4, or let \`lockstep import h5 $file.h5 -o NEW.h5\` do it"
done
expect 64 "$lockstep" train job.yaml data=one_hot.h5
says "$takes 4 of real numbers: each row of train/y has a single 1: store the classes, y.argmax(1), or let \`lockstep import h5 one_hot.h5"
turn='if it is channels first (PyTorch'"'"'s order), `lockstep import h5 IN.h5 -o NEW.h5 --channels-first` stores rows as height, width, channels'
expect 64 "$lockstep" train job.yaml data=channels_first.h5 model=lenet
says "takes images height x width x channels of at least 12x12, but a row of the data is 3x16x20; $turn"
refused 64 'evaluate.stop_after=3, but val.h5 has no rows of valid to judge by: import them (--valid N), or give evaluate.stop_after=0; not used: notes, val (the name for such rows is valid)' train job.yaml data=val.h5 evaluate.stop_after=3

# What works, but may not be meant, is said at the start.
expect 0 "$lockstep" train job.yaml data=val.h5 --dry-run
says '          not used: notes, val (the name for such rows is valid)'
expect 0 "$lockstep" train job.yaml data=channels_first.h5 --dry-run
says "          read as height 3, width 16, 20 channels; $turn"
says "          values up to 200 go into the net as they are: x.attrs['scale'] = 1/255 in the file, or a line \`normalize\` in"
expect 0 "$lockstep" train job.yaml data=images.h5 --dry-run
! grep -qE 'not used|as they are|channels first' out || fail 'a notice without a reason'
chunks='train/x lies in chunks of 9000 rows and 8.8 MiB, and 64.0 of their 87.9 MiB can be kept unpacked: in a random order'
slow='which is slow; `lockstep import h5 chunks.h5 -o NEW.h5` stores the rows without chunks'
expect 0 bash -c "ulimit -v 350000; exec '$lockstep' train job.yaml data=chunks.h5 --dry-run"
says "          $chunks"
says "$slow"
expect 0 "$lockstep" inspect chunks.h5
says "$chunks"
# Where there is memory, all are kept, and counted.
expect 0 "$lockstep" train job.yaml data=chunks.h5 --dry-run
! grep -q 'lies in chunks' out || fail 'not all chunks are kept'
cp out plan
expect 0 "$python" -c '
import re
text = open("plan").read()
assert float(re.search(r"memory +([0-9.]+) MiB a rank", text)[1]) > 95, text'
expect 0 "$lockstep" train job.yaml data=booleans.h5 --dry-run
says 'booleans.h5: train 20 rows, 144, 2 classes'

# None of the commands above wrote anything.
[ ! -e run ] || fail 'a refused job left its run directory'
refused 74 "job.yaml: expected a folder, found something else" train job.yaml run=job.yaml

# Other commands.
expect 0 "$lockstep" train job.yaml run=trained
for command in evaluate 'predict -o new.h5' 'extract --layer hidden -o new.h5'; do
    # shellcheck disable=SC2086
    refused 65 'images.h5 is a data set; expected a trained net: a run directory or one of its checkpoints (a data set is given by --data)' \
        ${command%% *} images.h5 ${command#"${command%% *}"}
done
refused 64 'job.yaml is a job, not a trained net: name its run directory, or give parameters by --weights FILE' evaluate job.yaml
refused 65 'good.h5 has no rows of test; it has train: name another with --split' evaluate trained --data good.h5
refused 65 'nowhere: no such run directory or checkpoint file' evaluate nowhere
mkdir hollow
refused 65 'hollow holds no checkpoint: is it a run directory?' evaluate hollow
refused 65 'images.h5: 203 training rows, but 300 are asked for' check job.yaml --rows 300 --dump pass.h5
refused 74 "nowhere/pass.h5: can't create: its folder is not there: mkdir -p nowhere" check job.yaml --dump nowhere/pass.h5
expect 64 "$lockstep" bench lenett
says 'there is no model lenett: did you mean lenet?'
expect 64 "$lockstep" bench lenet --batch 0
says "lockstep bench: --batch: expected a whole number, 1 or more, found '0'"

# A loss and its outputs, or its targets, that do not go together.
refused 64 "command line: objective: the loss cross-entropy compares the outputs of several classes, but the net has a single output, of which it would always be certain: give the net an output for each class (two for yes or no), or take loss=bce" \
    train job.yaml data=one_class.h5 'net=dense units=1' 'objective=supervised loss=cross-entropy'
data signs signs.h5
expect 65 "$lockstep" train job.yaml data=signs.h5 run=bce 'net=dense units=3' 'objective=supervised loss=bce'
says 'signs.h5: valid/y holds -1 at row '
says 'but the loss bce takes targets from 0 to 1'
expect 65 "$lockstep" train job.yaml data=regression.h5 run=hinge 'net=dense units=2' 'objective=supervised loss=hinge'
says 'but the loss hinge takes targets of -1 and 1'
expect 0 "$lockstep" train job.yaml data=signs.h5 run=hinge 'net=dense units=3' 'objective=supervised loss=hinge'

# Under mpirun each message is printed once, and the exit code is the same.
once() { # CODE MESSAGE ARGUMENT ...
    expect "$1" ranks 2 "$lockstep" "${@:3}"
    same 'times said' 1 "$(grep -c "$2" out)"
}
once 64 'there is no layer dens' train job.yaml 'net=dens units=4'
once 64 'cannot open the job file' train nowhere.yaml
once 65 'holds label -1' train job.yaml data=negative.h5
once 74 'expected a folder' train job.yaml run=job.yaml
once 65 'no such run directory' evaluate nowhere
once 64 'check runs on one rank' check job.yaml --dump pass.h5
