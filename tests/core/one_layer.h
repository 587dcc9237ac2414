/* one_layer: drives a single layer directly, with scratch that holds NaN at entry. */
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
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

class OneLayer
{
  public:
    OneLayer(const char *line, const std::vector<long> &input)
    {
        ls_error error = {};
        ls_shape shape = shape_of(input);
        params = ls_params_create();
        net = ls_net_build(params, nullptr, "net", line, &shape, &error);
        if (!net)
            throw std::runtime_error(error.text);
        layer = net->layers[0];
        values = block(params->size);
        gradient = block(params->size);
        ls_params_commit(params, values, prepared = block(params->prepared_size));
        ls_params_initialize(params, 7, nullptr);
        for (int k = 1; k < layer->slots; k++) /* biases that are not 0 */
            set(k, random_reals(count(k), 5));
        ls_net_prepare(net, 0, 1);
    }
    OneLayer(const OneLayer &) = delete;
    ~OneLayer()
    {
        for (void *memory : blocks)
            ls_free(memory);
        ls_net_destroy(net);
        ls_params_destroy(params);
    }
    long count(int k) const
    {
        return ls_shape_count(&params->slots[layer->slot[k]].shape);
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
        ls_params_load(params, layer->slot[k], logical.data(), values);
        ls_net_prepare(net, 0, 1);
    }
    Reals value(int k) const
    {
        return stored(k, values);
    }
    Reals gradient_of(int k) const
    {
        return stored(k, gradient);
    }
    Reals forward(const real *x, long rows)
    {
        Reals y(rows * y_count(), NAN);
        args = {};
        args.rows = rows;
        args.threads = 1;
        args.x[0] = x;
        args.y = y.data();
        args.kept = block(layer->kept.fixed + layer->kept.per_row * rows);
        args.scratch = poisoned(rows);
        ls_pass pass = {};
        layer->type->forward(layer, &pass, &args);
        last_y = y;
        return y;
    }
    /* Of the last forward. dx is written or added to; NULL: not wanted. */
    void backward(const Reals &dy, real *dx, bool add, bool parameters)
    {
        ls_pass pass = {};
        pass.gradient = parameters ? gradient : nullptr;
        args.y = last_y.data();
        args.dy = dy.data();
        args.dx[0] = dx;
        args.add[0] = add;
        args.scratch = poisoned(args.rows);
        if (parameters && layer->type->gradient) {
            args.parts = 1;
            layer->type->gradient(layer, &pass, &args);
            args.scratch = poisoned(args.rows);
        }
        layer->type->backward(layer, &pass, &args);
    }

    ls_layer *layer;

  private:
    real *block(size_t reals)
    {
        blocks.push_back(ls_alloc(reals, sizeof(real)));
        return (real *)blocks.back();
    }
    Reals stored(int k, const real *array) const
    {
        Reals logical(count(k));
        ls_params_store(params, layer->slot[k], array, logical.data());
        return logical;
    }
    void *poisoned(long rows)
    {
        size_t bytes = layer->scratch.fixed + layer->scratch.per_row * rows;
        real *scratch = block(bytes / sizeof(real) + 1);
        for (size_t i = 0; i < bytes / sizeof(real); i++)
            scratch[i] = NAN;
        return scratch;
    }

    ls_params *params;
    ls_net *net;
    real *values, *gradient, *prepared;
    ls_layer_args args;
    Reals last_y;
    std::vector<void *> blocks;
};
