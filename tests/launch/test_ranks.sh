#!/usr/bin/env bash
# test_ranks: a run has the same bits on 1 to 8 ranks, on nodes of equal and unequal ranks, in every phase; what the start-up
# block says about shares; split=even; batch norm over too few rows; a batch that is larger than the data.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
net: |
  conv2d out=6 kernel=3 pad=1 bias=0
  batchnorm relu=1
  maxpool kernel=2
  dropout rate=0.3
  dense units=40
  activation function=tanh
  dense units=4
transform: |
  crop pad=2
  flip
  erase rate=0.3
optimizer: adam rate=0.003 clip=0.5 decay=1e-3 ema=0.9
schedule: cosine warmup=0.5
batch: 101
steps: 7
shards: 16
evaluate: {every: 3 steps, average: true, stop_after: 50}
checkpoint: {every: 7 steps, keep: 9}
END

train() { # RUN RANKS [RANKS-PER-NODE|''] ARGUMENT ...
    local run=$1 count=$2 nodes=${3:-}
    shift $(($# > 2 ? 3 : 2))
    expect 0 ranks "$count" env LOCKSTEP_RANKS_PER_NODE="$nodes" "$lockstep" train job.yaml run="$run" "$@"
}

last_step=7

# --- The same bits on every number of ranks, and on every way to share them among nodes.
train one 1
for count in 2 3 4 5 6 7 8; do
    train on$count $count
    alike one on$count
done
for nodes in 4:3,1 3:2,1 6:1,3,2 6:2 7:1; do
    train "nodes$nodes" "${nodes%:*}" "${nodes#*:}"
    alike one "nodes$nodes"
done
train threads 3 2,1 --threads 2
alike one threads

# --- Sums of dense weights by inputs and errors have the bits of one rank.
for nodes in 8:1 8:4 6:2 4:1; do
    grep -q 'micro-kernel blas' out && break # its bits depend on how a product is cut: gradients are sent
    LOCKSTEP_FACTORS=always train "factors$nodes" "${nodes%:*}" "${nodes#*:}" --threads $((${nodes%:*} < 8 ? 2 : 1))
    says '2 weights are summed over the nodes by inputs and errors'
    alike one "factors$nodes"
done
# Ranks whose kernels round differently would compute other products: they send gradients.
if grep -q 'micro-kernel avx' out; then
    expect 0 ranks 2 env LOCKSTEP_FACTORS=always LOCKSTEP_RANKS_PER_NODE=1 bash -c \
        '[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ] || export LOCKSTEP_INSTRUCTIONS=plain; exec "$@"' bash \
        "$lockstep" train job.yaml run=mixed
    ! grep 'inputs and errors' out || fail 'expected gradients between ranks of other kernels'
fi
expect 64 env LOCKSTEP_FACTORS=often "$lockstep" train job.yaml run=often
says "LOCKSTEP_FACTORS is 'often', expected auto, always or never"

# --- Without room for shared memory each rank is a node; the shards are cut anew.
expect 0 ranks 3 env LOCKSTEP_RANKS_PER_NODE=2 LOCKSTEP_SHARED_LIMIT=1000 "$lockstep" train job.yaml run=tight
says 'each rank keeps a copy of its own'
alike one tight

# --- As many shards as ranks, on unequal nodes: no rank is left without one, and the bits are those of one rank.
for nodes in 4:3,1 3:2,1 6:1,3,2; do
    count=${nodes%:*}
    train "few$count" 1 '' shards=$count
    train "few$nodes" $count "${nodes#*:}" shards=0
    says "each rank holds a copy of the parameters, and none takes more than 1"
    alike "few$count" "few$nodes"
done

# --- Resumed on any other number, and accumulated in any way.
each=(evaluate.every='1 steps' schedule=constant)
train parts 3 2,1 steps=3 "${each[@]}"
train parts 7 4,1,2 steps=5 "${each[@]}"
train parts 2 '' steps=7 "${each[@]}"
train whole 5 '' "${each[@]}"
same 'a run on 3, 7 and 2 ranks' "$(digest --all "$(checkpoint whole 7)")" "$(digest --all "$(checkpoint parts 7)")"
train six 6 '' shards=6
train accumulated 2 '' shards=0 accumulate=3
train again 3 2,1 shards=0 accumulate=2
alike six accumulated
alike six again

# --- Phases, tied weights, several shards a rank and clipping, while the sums of several buckets between nodes go on.
data large large.h5
cat >phases.yaml <<'END'
data: large.h5
transform: normalize mean=0.5 deviation=0.5
model: dcgan filters=4 latent=20
objective: gan k=2
optimizer: {discriminator: adam rate=0.002 clip=0.05, generator: lamb rate=0.001 clip=0.05}
batch: 37
steps: 4
shards: 16
evaluate: {every: never}
END
cat >tied.yaml <<'END'
data: images.h5
model: autoencoder widths=144,700,300 activation=tanh classes=0
objective: autoencoder noise=0.2
optimizer: momentum rate=0.01 clip=0.5 ema=0.9
batch: 101
steps: 4
shards: 16
evaluate: {every: never}
END
sed 's/^model.*/model: gan latent=20 generator=64 discriminator=64 dropout=0.3/' phases.yaml >dense.yaml
for job in phases tied dense; do
    expect 0 ranks 1 "$lockstep" train $job.yaml run=$job
    for nodes in 8:8 8:4 8:2 8:1 6:2 4:3,1 4:2,1,1; do
        expect 0 ranks "${nodes%:*}" env LOCKSTEP_RANKS_PER_NODE="${nodes#*:}" "$lockstep" train $job.yaml run="$job$nodes"
        same "$job on $nodes" "$(digest --all "$(checkpoint $job 4)")" "$(digest --all "$(checkpoint "$job$nodes" 4)")"
    done
    [ $job != phases ] || continue # it has no dense weight
    ! grep -q 'micro-kernel blas' out || continue
    for nodes in 8:4 6:2 4:1; do
        expect 0 ranks "${nodes%:*}" env LOCKSTEP_RANKS_PER_NODE="${nodes#*:}" LOCKSTEP_FACTORS=always \
            "$lockstep" train $job.yaml run="$job-factors$nodes"
        says 'summed over the nodes by inputs and errors'
        same "$job by factors on $nodes" "$(digest --all "$(checkpoint $job 4)")" \
            "$(digest --all "$(checkpoint "$job-factors$nodes" 4)")"
    done
done

# --- A step that is not finite is the same step, with the same words.
steep=$'dense units=50\nactivation function=relu\ndense units=50\nactivation function=relu\ndense units=4'
for nodes in 1: 3: 4:3,1; do
    expect 70 ranks "${nodes%:*}" env LOCKSTEP_RANKS_PER_NODE="${nodes#*:}" "$lockstep" train job.yaml \
        run="wild$nodes" net="$steep" optimizer='sgd rate=1e6' evaluate.every=never evaluate.average=false steps=40 schedule=constant
    grep -h 'is not finite' out | sed 's/-nan/nan/g' >>wild.txt
done
same 'messages of a step that is not finite' 1 "$(sort -u wild.txt | wc -l)"

# --- With sync=1 and one shard a rank, four ranks have the same bits on any nodes.
sync="$(sed -n '/^net/,/^transform/p' job.yaml | sed -e '1d;$d' -e 's/batchnorm/batchnorm sync=1/')"
train synced 4 '' shards=4 "net=$sync"
for nodes in 3,1 2 1; do
    train "synced$nodes" 4 $nodes shards=4 "net=$sync"
    alike synced "synced$nodes"
done

# --- split=even: on powers of two of ranks nothing changes; on others the shares are fair, and the bits their own.
for count in 1 2 4; do
    train even$count $count '' split=even steps=4 schedule=constant
done
train tree 1 '' steps=4 schedule=constant
for count in 1 2 4; do
    same "even on $count ranks" "$(digest --arrays "$(checkpoint tree 4)")" "$(digest --arrays "$(checkpoint even$count 4)")"
done
train even3 3 2,1 split=even steps=4 schedule=constant
says 'a rank takes up to 6 shards a step'
says 'the largest share of a batch is 37.5 %, an even one 33.3 %'
different 'even shares on 3 ranks' "$(digest "$(checkpoint tree 4)")" "$(digest "$(checkpoint even3 4)")"
train even3again 3 2,1 split=even steps=4 schedule=constant
same 'again' "$(digest --all "$(checkpoint even3 4)")" "$(digest --all "$(checkpoint even3again 4)")"
expect 64 "$lockstep" train job.yaml run=none split=both
says "expected tree or even"

# --- The start-up block says how unequal the shares are, and what would be faster.
dry() { # RANKS ARGUMENT ...
    expect 0 ranks "$1" "$lockstep" train job.yaml run=none --dry-run "${@:2}"
}
dry 3
says 'a rank takes up to 8 shards a step in turn'
says 'the largest share of a batch is 50.0 %, an even one 33.3 %: shards=3 is faster (other bits), or 4 ranks, or split=even (bits of these ranks and groups); 2 ranks would be as fast'
expect 0 ranks 3 env LOCKSTEP_RANKS_PER_NODE=2,1 "$lockstep" train job.yaml run=none --dry-run shards=0
says "3 shards can't be halved fairly along groups of 2+1 ranks (up to 2 for one): each rank holds a copy of the parameters, and none takes more than 1; shards=4 or split=even: one copy a group, other bits"
says ' on this host in all; checkpoint '
expect 0 ranks 6 env LOCKSTEP_RANKS_PER_NODE=2 "$lockstep" train job.yaml run=none --dry-run shards=0
says '; shards=8 or split=even: one copy a group, other bits'
dry 4
! grep 'largest share' out || fail 'expected no word about equal shares'

# --- Batch norm over one number a channel is refused, and over few is said: in the smallest shard of any batch.
normed=$'dense units=8\nnorm: batchnorm\ndense units=4'
refused() { # RANKS WORDS ARGUMENT ...
    expect 64 ranks "$1" "$lockstep" train job.yaml run=none --dry-run net="$normed" "${@:3}"
    says "lockstep: command line: net: net/norm: $2"
}
refused 4 'a batch has 4 rows in 4 shards, which is 1 value per channel: mean and deviation need more than 1; give sync=1 to that line, shards=2 or fewer (or fewer ranks), or batch=12' \
    batch=4 shards=0
refused 1 'a batch has 13 rows in 7 shards' batch=13 shards=7
refused 1 'a batch has 3 rows in 7 shards' batch=3 shards=7
refused 1 'a batch has 12 rows in 12 shards' batch=12 shards=0 accumulate=12
refused 1 'a batch has 1 row, which is 1 value per channel: mean and deviation need more than 1; give batch=3' batch=1 shards=1
refused 1 'the last batch of an epoch (203 rows in batches of 101) has 1 row, which is 1 value per channel: mean and deviation need more than 1; give batch=102' \
    shards=1
refused 1 'the last batch of an epoch (203 rows in batches of 33) has 5 rows in 4 shards' batch=33 shards=4
dry 1 net="$normed" batch=102 shards=1
! grep 'per channel' out || fail 'expected no word about 101 rows'
dry 1 net="$normed" batch=101 shards=1 steps=2 # which never come to the last batch
dry 4 net="$normed" batch=32 shards=4
says 'net/norm: the last batch of an epoch (203 rows in batches of 32) has 11 rows in 4 shards, which is 2 values per channel: mean and deviation of so few are rough; sync=1 takes those of the whole batch'
dry 4 net="${normed/batchnorm/batchnorm sync=1}" batch=8 shards=4
! grep 'per channel' out || fail 'expected no word about the statistics of a whole batch'
dry 4 shards=4 batch=4 # images: a row has 144 places
! grep 'per channel' out || fail 'expected no word about images'

# --- A batch that is larger than the data takes memory for the rows there are.
train vast 1 '' batch=1000000000 shards=2 steps=1
says 'batch=1000000000 is more than there is: every step takes all 203 training rows'
train full 1 '' batch=203 shards=2 steps=1
same 'the largest batch and all rows' "$(digest "$(checkpoint full 1)")" "$(digest "$(checkpoint vast 1)")"
