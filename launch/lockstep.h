/* lockstep: the library in one header, for C and C++ programs outside this tree:
 *
 *     #include <lockstep/lockstep.h>
 *
 * What is not here is private: the layers' and kernels' own headers, and io/h5/h5.h, which needs
 * HDF5's. */
#pragma once
#ifdef __cplusplus
extern "C" {
#endif

#include "core/blas.h"
#include "core/check.h"
#include "core/layer.h"
#include "core/learner.h"
#include "core/loss.h"
#include "core/memory.h"
#include "core/model.h"
#include "core/net.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/params.h"
#include "core/random.h"
#include "core/schedule.h"
#include "core/slots.h"
#include "core/spec.h"
#include "core/squares.h"
#include "core/tensor.h"
#include "core/watch.h"
#include "core/workspace.h"

#include "dist/board.h"
#include "dist/buckets.h"
#include "dist/comm.h"
#include "dist/exchange.h"
#include "dist/factoring.h"
#include "dist/factors.h"
#include "dist/gather.h"
#include "dist/reduce.h"
#include "dist/shared.h"
#include "dist/sum_order.h"
#include "dist/waiting.h"
#include "dist/watchdog.h"

#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/checkpoint_find.h"
#include "io/checkpoint/checkpoint_size.h"
#include "io/checkpoint/checkpoint_writer.h"
#include "io/dataset.h"
#include "io/import/import.h"
#include "io/import/team.h"
#include "io/loader.h"
#include "io/rowfile.h"
#include "io/rundir.h"
#include "io/sampler.h"
#include "io/vocabulary.h"

#include "launch/job/job.h"
#include "launch/job/job_compatible.h"
#include "launch/job/job_read.h"
#include "launch/session/chunks.h"
#include "launch/session/evaluation.h"
#include "launch/session/saved.h"
#include "launch/session/session.h"
#include "launch/train/carry.h"
#include "launch/train/listener.h"
#include "launch/train/pace.h"
#include "launch/train/plan.h"
#include "launch/train/report.h"
#include "launch/train/samples.h"
#include "launch/train/shards.h"
#include "launch/train/slow.h"
#include "launch/train/snapshot.h"
#include "launch/train/states.h"
#include "launch/train/timeline.h"
#include "launch/train/timing.h"
#include "launch/train/trainer.h"
#include "launch/train/trainer_run.h"
#include "launch/weights/weights_file.h"

#ifdef __cplusplus
}
#endif
