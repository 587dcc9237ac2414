/* one_layer: drives a net of few layers, or a single layer, with memory that holds NaN before each
 * call: what all tests of layers share. */
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

extern "C" {
#include "core/memory.h"
#include "core/workspace.h"
}

using Reals = std::vector<real>;

/* Error allowed against a double reference, relative to the largest number expected. */
inline double tolerance()
{
    return sizeof(real) == sizeof(double) ? 1e-12 : 1e-5;
}

inline Reals random_reals(long count, unsigned seed)
{
    std::mt19937 source(seed);
    std::uniform_real_distribution<double> spread(-1, 1);
    Reals out(count);
    for (real &value : out)
        value = (real)spread(source);
    return out;
}

inline void expect_near(const Reals &found, const std::vector<double> &expected, const char *what,
                        double slack = 1)
{
    ASSERT_EQ(found.size(), expected.size()) << what;
    double largest = 1e-3;
    for (double value : expected)
        largest = std::max(largest, std::fabs(value));
    for (size_t i = 0; i < found.size(); i++)
        ASSERT_NEAR(found[i], expected[i], slack * tolerance() * largest) << what << " at " << i;
}

inline ls_shape shape_of(const std::vector<long> &sizes)
{
    ls_shape shape = {};
    for (long size : sizes)
        shape.at[shape.rank++] = size;
    return shape;
}

/* The message of a line that must be refused; "" where it was taken. */
inline std::string refusal(const char *line, const std::vector<long> &input)
{
    ls_params *params = ls_params_create();
    ls_error error = {};
    ls_shape shape = shape_of(input);
    ls_net *net = ls_net_build(params, nullptr, "net", line, &shape, &error);
    ls_net_destroy(net);
    ls_params_destroy(params);
    EXPECT_TRUE(net || error.code == LS_USAGE);
    return net ? "" : error.text;
}

const bool IS_DOUBLE = sizeof(real) == sizeof(double);
const double ROUNDING =
    IS_DOUBLE ? 1e-12 : 1e-4; /* of sums in another order, relative to the norm */
const real NOTHING = std::numeric_limits<real>::quiet_NaN();

/* 64-byte aligned reals, NaN at first. */
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

/* Numbers in +-[0.07, 0.43] and +-[0.57, 0.93]: away from the kinks at 0 and +-1/2. */
inline void fill_inputs(real *x, size_t n, uint64_t salt)
{
    for (size_t i = 0; i < n; i++) {
        double u = noise(3 * i + salt), size = 0.07 + 0.36 * u;
        size += noise(3 * i + 1 + salt) < 0.5 ? 0.5 : 0;
        x[i] = (real)(noise(3 * i + 2 + salt) < 0.5 ? -size : size);
    }
}

/* The same for what reads tokens below `vocabulary`, unless that is 0. */
inline void fill_inputs(real *x, size_t n, uint64_t salt, long vocabulary)
{
    fill_inputs(x, n, salt);
    for (size_t i = 0; vocabulary && i < n; i++)
        x[i] = (real)(long)(noise(3 * i + salt) * (double)vocabulary);
}

inline double norm(const real *a, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)a[i];
    return std::sqrt(sum);
}

/* |a - b| / |b|, norms over all numbers; NaN where there is one. */
inline double difference(const real *a, const real *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    double size = norm(b, n);
    return std::sqrt(sum) / (size > 0 ? size : 1);
}

/* A net with parameters, values and prepared memory. */
class Net
{
  public:
    /* Parameters from their initialisers. */
    Net(const std::string &lines, const ls_shape &shape) : params_(ls_params_create())
    {
        ls_error error = {};
        net_ = ls_net_build(params_, nullptr, "net", lines.c_str(), &shape, &error);
        if (!net_)
            throw std::runtime_error(error.text);
        values_.reset(new Buffer((size_t)params_->size, 0));
        prepared_.reset(new Buffer((size_t)params_->prepared_size));
        ls_params_commit(params_, *values_, *prepared_);
        ls_params_initialize(params_, 7, nullptr);
        prepare();
    }
    /* "3,2,2 | line; line", parameters drawn away from 0. */
    explicit Net(const std::string &text) : Net(lines_of(text), shape_of(text))
    {
        for (int s = 0; s < params_->count; s++)
            draw(s);
        prepare();
    }
    Net(const Net &) = delete;
    ~Net()
    {
        ls_net_destroy(net_);
        ls_params_destroy(params_);
    }
    void prepare() const
    {
        ls_net_prepare(net_, nullptr, 0, 1);
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
    static std::string lines_of(const std::string &text)
    {
        std::string lines = text.substr(text.find('|') + 1);
        for (char &c : lines)
            c = c == ';' ? '\n' : c;
        return lines;
    }
    static ls_shape shape_of(const std::string &text)
    {
        ls_shape shape = {};
        ls_error error = {};
        std::string sizes = text.substr(0, text.find_first_of(" |"));
        EXPECT_TRUE(ls_shape_parse("input", sizes.c_str(), &shape, &error)) << error.text;
        return shape;
    }
    void draw(int slot)
    {
        Buffer logical((size_t)ls_shape_count(&params_->slots[slot].shape));
        fill_inputs(logical, logical.size(), 77 + (uint64_t)slot);
        for (size_t i = 0; params_->slots[slot].kind == LS_SLOT_STATE && i < logical.size(); i++)
            logical[i] = std::fabs(logical[i]); /* a running variance is above 0 */
        ls_params_load(params_, slot, logical, *values_);
    }
    ls_params *params_;
    ls_net *net_;
    std::unique_ptr<Buffer> values_, prepared_;
};

inline ls_pass training_pass(uint64_t step, real *gradient = nullptr)
{
    ls_pass pass = {};
    pass.training = true;
    pass.seed = 11;
    pass.step = step;
    pass.row = 100;
    pass.total = 50000;
    pass.gradient = gradient;
    return pass;
}

/* One layer on its own. `args` of both calls: rows' arrays; the rest is filled in. */
class Bench
{
  public:
    Bench(const ls_layer *layer, long rows)
        : layer_(layer), rows_(rows), kept_(reals(layer->kept, rows))
    {
    }
    void forward(const ls_pass &pass, ls_layer_args args)
    {
        call(layer_->type->forward, pass, args);
    }
    void backward(const ls_pass &pass, ls_layer_args args)
    {
        call(layer_->type->backward, pass, args);
        if (pass.gradient && layer_->type->gradient)
            call(layer_->type->gradient, pass, args);
    }

  private:
    static size_t reals(const ls_claim &claim, long rows)
    {
        return (claim.fixed + claim.per_row * (size_t)rows + sizeof(real) - 1) / sizeof(real);
    }
    void call(void (*step)(const ls_layer *, const ls_pass *, const ls_layer_args *),
              const ls_pass &pass, ls_layer_args args)
    {
        Buffer scratch(reals(layer_->scratch, rows_));
        args.rows = rows_;
        args.kept = kept_;
        args.scratch = scratch;
        args.parts = args.threads = 1;
        step(layer_, &pass, &args);
    }
    const ls_layer *layer_;
    long rows_;
    Buffer kept_;
};

/* Rows of inputs, goals for dy, and results of one layer. */
struct Rows {
    std::vector<Buffer> x, dx;
    Buffer y, dy, gradient;

    Rows(const ls_layer *layer, const ls_params *params, long rows, real dx_fill = NOTHING)
        : y(count(layer->y, rows)), dy(count(layer->y, rows)), gradient((size_t)params->size, 0)
    {
        for (int k = 0; k < layer->inputs; k++) {
            x.emplace_back(count(layer->x[k], rows));
            fill_inputs(x.back(), x.back().size(), 5000 * (uint64_t)k, ls_layer_vocabulary(layer));
            dx.emplace_back(x.back().size(), dx_fill);
        }
        fill_inputs(dy, dy.size(), 99);
    }
    /* dx[k] as it is if `add`; an empty dx: not wanted. */
    ls_layer_args args(bool add = false) const
    {
        ls_layer_args args = {};
        for (size_t k = 0; k < x.size(); k++)
            args.x[k] = x[k];
        for (size_t k = 0; k < dx.size(); k++) {
            args.dx[k] = dx[k];
            args.add[k] = add;
        }
        args.y = y;
        args.dy = dy;
        return args;
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
    bench.forward(pass, at.args());
    bench.backward(pass, at.args(add));
}

/* A net of one layer, driven with plain vectors. */
class OneLayer
{
  public:
    OneLayer(const char *line, const std::vector<long> &input)
        : layer(nullptr), net_(line, shape_of(input)), gradient_((size_t)net_.params()->size, 0)
    {
        layer = net_->layers[0];
        for (int k = 1; k < layer->slots; k++) /* biases that are not 0 */
            set(k, random_reals(count(k), 5));
    }
    long count(int k) const
    {
        return ls_shape_count(&net_.params()->slots[layer->slot[k]].shape);
    }
    long x_count() const
    {
        return ls_shape_count(&layer->x[0]);
    }
    long y_count() const
    {
        return ls_shape_count(&layer->y);
    }
    /* Logical numbers of slot k. */
    void set(int k, const Reals &logical)
    {
        ls_params_load(net_.params(), layer->slot[k], logical.data(), net_.params()->values);
        net_.prepare();
    }
    Reals value(int k) const
    {
        return stored(k, net_.params()->values);
    }
    Reals gradient_of(int k) const
    {
        return stored(k, gradient_);
    }
    Reals forward(const real *x, long rows, const ls_pass &pass = {})
    {
        last_y_.assign((size_t)(rows * y_count()), NAN);
        args_ = {};
        args_.x[0] = x;
        args_.y = last_y_.data();
        bench_.reset(new Bench(layer, rows));
        bench_->forward(pass, args_);
        return last_y_;
    }
    /* Of the last forward. dx is written or added to; NULL: not wanted. */
    void backward(const Reals &dy, real *dx, bool add, bool parameters)
    {
        ls_pass pass = {};
        pass.gradient = parameters ? (real *)gradient_ : nullptr;
        args_.dy = dy.data();
        args_.dx[0] = dx;
        args_.add[0] = add;
        bench_->backward(pass, args_);
    }

    ls_layer *layer;

  private:
    Reals stored(int k, const real *array) const
    {
        Reals logical((size_t)count(k));
        ls_params_store(net_.params(), layer->slot[k], array, logical.data());
        return logical;
    }
    Net net_;
    Buffer gradient_;
    std::unique_ptr<Bench> bench_;
    ls_layer_args args_;
    Reals last_y_;
};
