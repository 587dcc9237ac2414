/* factors: sums of weights by what their gradients are products of. */
#include "world.h"

#include <cstdlib>

extern "C" {
#include "core/kernels/matrix.h"
}

namespace
{
enum { MOST_SHARDS = 3, ROWS = 8 };

/* Ranks have 1 to 3 shards, whose rows differ in number. A shard applies weight k to k + 1 pieces.
 */
int shards_of(int rank)
{
    return 1 + rank % MOST_SHARDS;
}

long rows_of(int rank, int shard, int step)
{
    return (rank + 2 * shard + 3 * step) % (ROWS + 1);
}

struct Weights {
    Weights(const char *mode, const std::vector<ls_matrix> &weights, bool lying = false)
        : matrix(weights), lies(lying)
    {
        setenv("LOCKSTEP_FACTORS", mode, 1);
        ls_initializer zero = {};
        ls_error error = {};
        for (size_t k = 0; k < matrix.size(); k++) {
            ls_shape shape = {2, {matrix[k].out, matrix[k].in}}, bias = {1, {matrix[k].out}};
            ls_params_claim(params, ("weight" + std::to_string(k)).c_str(), LS_SLOT_WEIGHT, &shape,
                            &zero, &ls_panel_layout);
            ls_params_claim(params, ("bias" + std::to_string(k)).c_str(), LS_SLOT_BIAS, &bias,
                            &zero, nullptr);
        }
        const ls_slots all = ls_slots_all(params);
        const ls_factors_load load = {2, shards_of(world->rank), MOST_SHARDS};
        reduce = ls_reduce_create(world, params, &error);
        EXPECT_TRUE(reduce) << error.text;
        ls_reduce_set_phase(reduce, 0, &all, &load);
        norm2.resize((size_t)params->count);
    }
    ~Weights()
    {
        ls_comm_node_barrier(world);
        ls_reduce_destroy(reduce);
        ls_params_destroy(params);
        unsetenv("LOCKSTEP_FACTORS");
    }
    /* Of a piece of a shard; valid until the next call. */
    ls_layer_factors piece(int rank, int shard, size_t k, int number, int step)
    {
        const ls_matrix &m = matrix[k];
        const long rows = rows_of(rank, shard, step);
        x.resize((size_t)(rows * m.in));
        dy.resize((size_t)(rows * m.out));
        const int owner = rank + 10 * shard + 100 * number + 1000 * step;
        for (size_t i = 0; i < x.size(); i++)
            x[i] = value(owner, (long)i);
        for (size_t i = 0; i < dy.size(); i++)
            dy[i] = value(owner + 7, (long)i);
        return {(int)(2 * k), shard, m.out, m.in, rows, 1, ROWS, x.data(), dy.data()};
    }
    /* The gradient of a shard. With `tell` its pieces are offered as factors; those that are taken
     * are counted in *taken, and left out. */
    std::vector<real> shard_gradient(int rank, int shard, int step, bool tell, int *taken)
    {
        std::vector<real> sum((size_t)params->size, 0);
        for (size_t k = 0; k < matrix.size(); k++) {
            const ls_matrix &m = matrix[k];
            std::vector<real> scratch((size_t)ls_matrix_scratch(&m) + 16);
            real *aligned = scratch.data();
            while ((uintptr_t)aligned % 64)
                aligned++;
            const long weight = params->slots[2 * k].offset, bias = params->slots[2 * k + 1].offset;
            for (long i = 0; i < m.out; i++)
                sum[(size_t)(bias + i)] = value(rank + shard, i);
            for (int n = 0; n <= (int)k; n++) {
                const ls_layer_factors f = piece(rank, shard, k, n, step);
                if (tell && ls_reduce_factors(reduce, &f)) {
                    ++*taken;
                    continue;
                }
                const ls_outer g = {
                    f.rows, f.x, f.dy, m.in, m.out, {0, m.out}, &sum[(size_t)weight], aligned};
                ls_matrix_gradient(&m, &g);
            }
            if (lies)
                sum[(size_t)weight] += (real)(1 + rank);
        }
        return sum;
    }
    /* Of all shards of a rank. */
    std::vector<real> rank_gradient(int rank, int step, bool tell, int *taken)
    {
        std::vector<std::vector<real>> shard;
        for (int s = 0; s < shards_of(rank); s++)
            shard.push_back(shard_gradient(rank, s, step, tell, taken));
        std::vector<real> sum((size_t)params->size);
        for (size_t i = 0; i < sum.size(); i++)
            sum[i] = tree<real>(0, shards_of(rank), [&](int s) { return shard[(size_t)s][i]; });
        return sum;
    }
    /* One step. Returns how many pieces went by factors. */
    int take(int step)
    {
        int taken = 0;
        ls_step_sums sums = {};
        ls_reduce_begin(reduce, 0);
        const std::vector<real> own = rank_gradient(world->rank, step, true, &taken);
        std::copy(own.begin(), own.end(), reduce->gradient);
        for (int s = params->count - 1; s >= 0; s--)
            ls_reduce_ready(reduce, &s, 1);
        ls_reduce_finish(reduce, &sums, norm2.data());
        std::vector<std::vector<real>> rank;
        for (int r = 0; r < world->size; r++)
            rank.push_back(rank_gradient(r, step, false, nullptr));
        long wrong = 0;
        for (long r = 0; r < reduce->own.count; r++)
            for (long i = reduce->own.at[r].begin; i < reduce->own.at[r].end; i++)
                wrong += reduce->gradient[i] != tree_of_nodes<real>(starts, [&](int k) {
                             return rank[(size_t)k][(size_t)i];
                         });
        EXPECT_EQ(wrong, 0) << "step " << step;
        ls_reduce_end(reduce);
        return taken;
    }
    /* The pieces of this rank in a step. */
    int pieces() const
    {
        const int count = (int)matrix.size();
        return shards_of(world->rank) * count * (count + 1) / 2;
    }
    bool able() const
    {
        bool equal = world->nodes > 1;
        for (int i = 0; i < world->nodes; i++)
            equal &= world->node_sizes[i] == world->node_size;
        return equal && strncmp(ls_tile_best()->name, "blas", 4) != 0;
    }
    std::vector<ls_matrix> matrix;
    bool lies;
    ls_params *params = ls_params_create();
    ls_reduce *reduce;
    std::vector<double> norm2;
    std::vector<real> x, dy;
    std::vector<int> starts = node_starts();
};

const std::vector<ls_matrix> odd = {{70, 33}, {200, 150}, {1, 40}, {130, 1100}};
} /* namespace */

TEST(Factors, SumsAreTheTreeBitForBit)
{
    Weights weights("always", odd);
    for (int step = 0; step < 6; step++)
        EXPECT_EQ(weights.take(step), step > 1 && weights.able() ? weights.pieces() : 0) << step;
    char notice[256] = "";
    EXPECT_EQ(ls_reduce_notice(weights.reduce, notice, sizeof notice), weights.able());
    EXPECT_EQ(strncmp(notice, "4 weights are summed", weights.able() ? 20 : 0), 0) << notice;
    EXPECT_FALSE(ls_reduce_notice(weights.reduce, notice, sizeof notice));
}

TEST(Factors, GradientsThatAreNoProductsGoOnAsGradients)
{
    Weights weights("always", odd, true);
    for (int step = 0; step < 4; step++)
        EXPECT_EQ(weights.take(step), 0) << step;
    char notice[256] = "";
    EXPECT_EQ(ls_reduce_notice(weights.reduce, notice, sizeof notice), weights.able());
    EXPECT_EQ(strstr(notice, "are left out") != nullptr, weights.able()) << notice;
}

TEST(Factors, AreTimedBesideGradientsWhereTheyAreLessToSend)
{
    Weights weights("auto", {{512, 512}, {8, 8}});
    std::vector<int> taken;
    for (int step = 0; step < LS_FACTORING_SUMS + 2; step++)
        taken.push_back(weights.take(step));
    const int large =
        weights.able() ? shards_of(world->rank) : 0; /* the small one is no candidate */
    EXPECT_EQ(taken[4], 0);
    EXPECT_EQ(taken[5], large);
    EXPECT_EQ(taken[7], large);
    EXPECT_EQ(taken[8], taken[9]);
    char notice[256] = "";
    EXPECT_EQ(ls_reduce_notice(weights.reduce, notice, sizeof notice), taken[8] > 0);
    EXPECT_EQ(strstr(notice, "ms a step in place of") != nullptr, taken[8] > 0) << notice;
    double factors = 0, gradients = 0;
    if (const char *times = strstr(notice, ": ")) {
        EXPECT_EQ(sscanf(times, ": %lf ms a step in place of %lf", &factors, &gradients), 2);
        EXPECT_LE(factors, gradients) << notice;
    }
}

TEST(Factors, NeverMeansNever)
{
    Weights weights("never", odd);
    for (int step = 0; step < 4; step++)
        EXPECT_EQ(weights.take(step), 0) << step;
}

TEST(Factors, TheEnvironmentIsChecked)
{
    ls_error error = {};
    setenv("LOCKSTEP_FACTORS", "often", 1);
    EXPECT_FALSE(ls_factoring_check_environment(&error));
    EXPECT_STREQ(error.text, "LOCKSTEP_FACTORS is 'often', expected auto, always or never");
    unsetenv("LOCKSTEP_FACTORS");
    EXPECT_TRUE(ls_factoring_check_environment(&error));
}
