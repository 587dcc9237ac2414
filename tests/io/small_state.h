/* small_state: a few parameters with momentum, as a training run would hold them, whose contents
 * are a function of the step; for the checkpoint tests. */
#pragma once
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "core/memory.h"
#include "io/checkpoint/checkpoint_find.h"
#include "io/checkpoint/checkpoint_writer.h"
}

/* Logical [out, in] is stored transposed and padded to 4 columns: unlike the file's layout. */
inline long padded_size(const ls_layout *, const ls_shape *shape)
{
    return shape->at[1] * 4;
}
inline void padded_load(const ls_layout *, const ls_shape *shape, const real *logical, real *stored)
{
    for (long o = 0; o < shape->at[0]; o++)
        for (long i = 0; i < shape->at[1]; i++)
            stored[i * 4 + o] = logical[o * shape->at[1] + i];
}
inline void padded_store(const ls_layout *, const ls_shape *shape, const real *stored,
                         ls_interval rows, real *logical)
{
    for (long o = rows.begin; o < rows.end; o++)
        for (long i = 0; i < shape->at[1]; i++)
            *logical++ = stored[i * 4 + o];
}
inline const ls_layout padded_layout = {padded_size, padded_load, padded_store, 1};

inline ls_shape shape_of(std::vector<long> dims)
{
    ls_shape shape = {};
    for (long n : dims)
        shape.at[shape.rank++] = n;
    return shape;
}

/* Whether the file opens; its digest, structure and attributes hold. */
inline bool opens(const std::string &path, ls_error *error)
{
    ls_checkpoint *file = ls_checkpoint_open(path.c_str(), error);
    ls_checkpoint_close(file);
    return file != nullptr;
}

class SmallState
{
  public:
    explicit SmallState(bool panels = true, long width = 5, const char *last = "net/fc/bias")
    {
        params = ls_params_create();
        claim("net/conv/weight", LS_SLOT_WEIGHT, shape_of({3, width}),
              panels ? &padded_layout : nullptr);
        claim("net/norm/mean", LS_SLOT_STATE, shape_of({3}), nullptr);
        claim("net/fc/weight", LS_SLOT_WEIGHT, shape_of({2, 2, 1, 70}), nullptr);
        claim(last, LS_SLOT_BIAS, shape_of({2}), nullptr);
        values.resize(size_t(params->size));
        momentum.resize(size_t(params->size));
        ls_params_commit(params, values.data(), nullptr);
        ls_slots_add(&trained, 0, params->count);
    }
    SmallState(const SmallState &) = delete;
    ~SmallState()
    {
        ls_params_destroy(params);
    }

    /* Contents as after step `step`. */
    void fill(long step)
    {
        for (int s = 0; s < params->count; s++) {
            fill_slot(s, values, double(step) + 0.25 * s);
            if (params->slots[s].kind != LS_SLOT_STATE)
                fill_slot(s, momentum, -double(step) - 0.125 * s);
        }
        now = step;
    }

    /* Borrowed: valid until the next call. */
    const ls_checkpoint_contents *contents()
    {
        ls_position &position = all.position = {};
        position.stage = 1;
        position.stage_step = now - 1;
        position.step = now;
        position.samples = 64.0 * double(now);
        position.shards = 4;
        for (int p = 0; p < LS_PHASES; p++)
            position.updates[p] = now + p;
        position.best = std::nan("");
        position.best_step = 3;
        position.stale = 2;
        position.gap = 0.1;
        position.evaluation_due = 1;
        position.data_digest = 0xfedcba9876543210u;
        all.job = job.c_str();
        all.params = params;
        all.values = values.data();
        all.arrays = arrays = {1, {{"momentum", &trained, false, momentum.data()}}};
        all.data = "train/x rows: 7 of 2, float32\n";
        return &all;
    }
    /* Starts a write of the contents, which must stay until it has ended. */
    void write(ls_checkpoint_writer *writer, ls_checkpoint_part part = LS_CHECKPOINT_ALL)
    {
        ls_checkpoint_writer_write(writer, contents(), part, nullptr, 0);
    }

    /* Opens a file and loads all of it. */
    bool load(const std::string &path, ls_error *error)
    {
        contents();
        ls_checkpoint *file = ls_checkpoint_open(path.c_str(), error);
        bool ok = file && ls_checkpoint_load(file, params, &arrays, error);
        ls_checkpoint_close(file);
        return ok;
    }
    bool load_weights(const std::string &path, ls_error *error)
    {
        return ls_weights_load(path.c_str(), params, error);
    }

    bool operator==(const SmallState &other) const
    {
        return same(values, other.values) && same(momentum, other.momentum);
    }
    bool values_equal(const SmallState &other) const
    {
        return same(values, other.values);
    }

    ls_params *params;
    ls_slots trained = {};
    std::vector<real> values, momentum;
    std::string job = "model: lenet classes=10\n";
    ls_checkpoint_arrays arrays = {};
    ls_checkpoint_contents all = {};
    long now = 0;

  private:
    void claim(const char *name, ls_slot_kind kind, ls_shape shape, const ls_layout *layout)
    {
        ls_initializer zero = {};
        ls_params_claim(params, name, kind, &shape, &zero, layout);
    }
    void fill_slot(int slot, std::vector<real> &array, double base)
    {
        std::vector<real> logical(size_t(ls_shape_count(&params->slots[slot].shape)));
        for (size_t i = 0; i < logical.size(); i++)
            logical[i] = real(base + std::sin(double(i)));
        ls_params_load(params, slot, logical.data(), array.data());
    }
    static bool same(const std::vector<real> &a, const std::vector<real> &b)
    {
        return a.size() == b.size() && memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
    }
};
