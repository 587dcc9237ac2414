// What test_contract.cc drives layers with: aligned buffers full of NaN, inputs away from kinks,
// the net of an example, and one layer on its own.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

extern "C" {
#include "core/memory.h"
#include "core/workspace.h"
}

namespace contract
{

const bool IS_DOUBLE = sizeof(real) == sizeof(double);
const double ROUNDING = IS_DOUBLE ? 1e-12 : 1e-4; // of sums in another order, relative to the norm
const real NOTHING = std::numeric_limits<real>::quiet_NaN();

// 64-byte aligned reals, NaN at first.
class Buffer
{
  public:
    explicit Buffer(size_t count, real fill = NOTHING)
        : count_(count), data_((real *)ls_alloc(count, sizeof(real)))
    {
        for (size_t i = 0; i < count; i++)
            data_[i] = fill;
    }
    Buffer(const Buffer &other) : Buffer(other.count_)
    {
        memcpy(data_, other.data_, count_ * sizeof(real));
    }
    Buffer &operator=(const Buffer &) = delete;
    ~Buffer()
    {
        ls_free(data_);
    }
    operator real *() const
    {
        return data_;
    }
    size_t size() const
    {
        return count_;
    }
    bool same_bits(const Buffer &other) const
    {
        return count_ == other.count_ && memcmp(data_, other.data_, count_ * sizeof(real)) == 0;
    }

  private:
    size_t count_;
    real *data_;
};

inline double noise(uint64_t i)
{
    uint64_t z = i * 0x9e3779b97f4a7c15ull + 0x1234567;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

// Numbers in +-[0.07, 0.43] and +-[0.57, 0.93]: away from the kinks at 0 and +-1/2.
inline void fill_inputs(real *x, size_t n, uint64_t salt)
{
    for (size_t i = 0; i < n; i++) {
        double u = noise(3 * i + salt), size = 0.07 + 0.36 * u;
        size += noise(3 * i + 1 + salt) < 0.5 ? 0.5 : 0;
        x[i] = (real)(noise(3 * i + 2 + salt) < 0.5 ? -size : size);
    }
}

inline double norm(const real *a, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)a[i];
    return std::sqrt(sum);
}

// |a - b| / |b|, norms over all numbers; NaN where there is one.
inline double difference(const real *a, const real *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    double size = norm(b, n);
    return std::sqrt(sum) / (size > 0 ? size : 1);
}

// The net of an example, with parameters drawn.
class Net
{
  public:
    explicit Net(const std::string &text) : params_(ls_params_create())
    {
        size_t bar = text.find('|');
        std::string lines = text.substr(bar + 1);
        for (char &c : lines)
            c = c == ';' ? '\n' : c;
        ls_shape shape = {};
        for (const char *at = text.c_str(); *at && *at != '|'; at++) {
            char *end;
            long n = strtol(at, &end, 10);
            if (end != at)
                shape.at[shape.rank++] = n;
            at = end;
            if (*at == '|' || !*at)
                break;
        }
        ls_error error = {};
        net_ = ls_net_build(params_, nullptr, "net", lines.c_str(), &shape, &error);
        if (!net_) {
            ADD_FAILURE() << text << ": " << error.text;
            abort();
        }
        values_ = new Buffer((size_t)params_->size, 0);
        prepared_ = new Buffer((size_t)params_->prepared_size);
        ls_params_commit(params_, *values_, *prepared_);
        for (int s = 0; s < params_->count; s++)
            draw(s);
        prepare();
    }
    ~Net()
    {
        ls_net_destroy(net_);
        ls_params_destroy(params_);
        delete values_;
        delete prepared_;
    }
    void prepare() const
    {
        ls_net_prepare(net_, 0, 1);
    }
    const ls_net *operator->() const
    {
        return net_;
    }
    const ls_net *get() const
    {
        return net_;
    }
    ls_params *params() const
    {
        return params_;
    }
    size_t x_count() const
    {
        return (size_t)ls_shape_count(&net_->x);
    }
    size_t y_count() const
    {
        return (size_t)ls_shape_count(&net_->y);
    }

  private:
    void draw(int slot)
    {
        Buffer logical((size_t)ls_shape_count(&params_->slots[slot].shape));
        fill_inputs(logical, logical.size(), 77 + (uint64_t)slot);
        for (size_t i = 0; params_->slots[slot].kind == LS_SLOT_STATE && i < logical.size(); i++)
            logical[i] = std::fabs(logical[i]); // a running variance is above 0
        ls_params_load(params_, slot, logical, *values_);
    }
    ls_params *params_;
    ls_net *net_;
    Buffer *values_, *prepared_;
};

inline ls_pass training_pass(uint64_t step, real *gradient = nullptr)
{
    ls_pass pass = {};
    pass.training = true;
    pass.seed = 11;
    pass.step = step;
    pass.row = 100;
    pass.gradient = gradient;
    return pass;
}

// One layer on its own, its memory full of NaN before each call.
class Bench
{
  public:
    Bench(const ls_layer *layer, long rows)
        : layer_(layer), rows_(rows), kept_(reals(layer->kept, rows))
    {
    }
    void forward(const ls_pass &pass, const std::vector<Buffer> &x, const Buffer &y)
    {
        Buffer scratch(reals(layer_->scratch, rows_));
        ls_layer_args args = base(x, y, scratch);
        layer_->type->forward(layer_, &pass, &args);
    }
    // dx[k] as it is where `add`; an empty dx: not wanted.
    void backward(const ls_pass &pass, const std::vector<Buffer> &x, const Buffer &y,
                  const Buffer &dy, const std::vector<Buffer> &dx, bool add)
    {
        Buffer scratch(reals(layer_->scratch, rows_));
        ls_layer_args args = base(x, y, scratch);
        args.dy = dy;
        for (size_t k = 0; k < dx.size(); k++) {
            args.dx[k] = dx[k];
            args.add[k] = add;
        }
        args.parts = 1;
        if (pass.gradient && layer_->type->gradient)
            layer_->type->gradient(layer_, &pass, &args);
        layer_->type->backward(layer_, &pass, &args);
    }

  private:
    static size_t reals(const ls_claim &claim, long rows)
    {
        return (claim.fixed + claim.per_row * (size_t)rows + sizeof(real) - 1) / sizeof(real);
    }
    ls_layer_args base(const std::vector<Buffer> &x, const Buffer &y, const Buffer &scratch)
    {
        ls_layer_args args = {};
        args.rows = rows_;
        for (size_t k = 0; k < x.size(); k++)
            args.x[k] = x[k];
        args.y = y;
        args.kept = kept_;
        args.scratch = scratch;
        args.threads = 1;
        return args;
    }
    const ls_layer *layer_;
    long rows_;
    Buffer kept_;
};

// Rows of inputs, goals for dy, and results of one layer.
struct Rows {
    std::vector<Buffer> x, dx;
    Buffer y, dy, gradient;

    Rows(const ls_layer *layer, const ls_params *params, long rows, real dx_fill = NOTHING)
        : y(count(layer->y, rows)), dy(count(layer->y, rows)), gradient((size_t)params->size, 0)
    {
        for (int k = 0; k < layer->inputs; k++) {
            x.emplace_back(count(layer->x[k], rows));
            fill_inputs(x.back(), x.back().size(), 5000 * (uint64_t)k);
            dx.emplace_back(x.back().size(), dx_fill);
        }
        fill_inputs(dy, dy.size(), 99);
    }
    static size_t count(const ls_shape &shape, long rows)
    {
        return (size_t)(ls_shape_count(&shape) * rows);
    }
};

inline void both_ways(const ls_layer *layer, long rows, Rows &at, uint64_t step, bool add = false)
{
    Bench bench(layer, rows);
    ls_pass pass = training_pass(step, at.gradient);
    bench.forward(pass, at.x, at.y);
    bench.backward(pass, at.x, at.y, at.dy, at.dx, add);
}

} // namespace contract
