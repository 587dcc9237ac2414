/* The objective rbm: shards add up to the whole, chains persist and mix to the distribution of all
 * states, evaluation is its formulas in double. That its gradient is contrastive divergence's:
 * tests/parity/rbm.py. */
#include <algorithm>
#include <map>

#include "instructions.h"
#include "one_layer.h"

extern "C" {
#include "core/memory.h"
#include "core/objectives/rbm_learn.h"
#include "core/pixels.h"
}

namespace
{

const double EPSILON = IS_DOUBLE ? 1e-11 : 2e-5;

/* A net with one machine, and the objective over it; all numbers drawn. */
struct Machine {
    Net net;
    ls_error error = {};
    ls_objective *objective = nullptr;
    ls_pass pass = {};

    Machine(const std::string &text, const std::string &lines, long rows = 64, long chunk = 64)
        : net(lines)
    {
        ls_task task = {};
        const ls_net *nets = net.get();
        task.params = net.params();
        task.nets = 1;
        task.net = (ls_net *const *)&nets;
        task.x = nets->x;
        objective = ls_objective_create(text.c_str(), &task, &error);
        pass.seed = 11;
        if (objective)
            objective->type->compile(objective, rows, chunk);
    }
    Machine(const Machine &) = delete;
    ~Machine()
    {
        ls_objective_destroy(objective);
    }
    const ls_rbm *self() const
    {
        return (const ls_rbm *)objective->self;
    }
    Reals logical(int k) const
    {
        const int slot = net->layers[self()->layer]->slot[k];
        Reals out((size_t)ls_shape_count(&net.params()->slots[slot].shape));
        ls_params_store(net.params(), slot, net.params()->values, out.data());
        return out;
    }
    ls_batch batch(const Reals &x) const
    {
        ls_batch batch = {};
        batch.x = x.data();
        batch.x_shape = net->x;
        batch.rows = batch.total = (long)(x.size() / net.x_count());
        return batch;
    }
    /* Gradients of all parameters by one shard of a step. */
    Reals step(const ls_batch &whole, int shard, int shards, const ls_carried *carried,
               ls_sums *sums)
    {
        ls_batch own = ls_batch_shard(&whole, shard, shards);
        Reals gradient((size_t)net.params()->size, 7);
        pass.training = true;
        pass.step = 3;
        pass.row = own.first;
        pass.total = whole.total;
        pass.carried = carried;
        pass.gradient = gradient.data();
        objective->type->gradient(objective, 0, &own, &pass, sums);
        pass = {};
        pass.seed = 11;
        return gradient;
    }
    ls_sums evaluate(const Reals &x, Reals *y = nullptr)
    {
        ls_sums sums = {};
        ls_batch rows = batch(x);
        const real *out = objective->type->evaluate(objective, &rows, &pass, &sums);
        if (y)
            y->assign(out, out + x.size());
        return sums;
    }
};

Reals bits(long n, unsigned seed)
{
    Reals v = random_reals(n, seed);
    for (real &value : v)
        value = value > 0;
    return v;
}

double softplus(double x)
{
    return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

/* F(v) of a Bernoulli machine. */
double free_energy(const Machine &m, const real *v)
{
    const Reals w = m.logical(0), b = m.logical(1), a = m.logical(2);
    double energy = 0;
    for (size_t i = 0; i < a.size(); i++)
        energy -= (double)a[i] * v[i];
    for (size_t j = 0; j < b.size(); j++) {
        double x = b[j];
        for (size_t i = 0; i < a.size(); i++)
            x += (double)w[j * a.size() + i] * v[i];
        energy -= softplus(x);
    }
    return energy;
}

const char *const LINES = "9 | dense units=37 visible=1; activation function=logistic";
const char *const RECTIFIED = "9 | dense units=37 visible=1; activation function=relu";

const char *lines_for(const std::string &text)
{
    return text.find("nrelu") == text.npos ? LINES : RECTIFIED;
}

} /* namespace */

/* A step's gradients and sums are those of its shards, and each shard moves its own chains on, to
 * where they would be without shards. Of four shards some have no rows, or no chains. */
TEST(Rbm, ShardsAddUpToTheWhole)
{
    SKIP_WITH_BLAS();
    const std::pair<const char *, long> cases[] = {
        {"rbm k=3", 13},          {"rbm k=2 chains=7", 13},
        {"rbm k=2 chains=2", 13}, {"rbm hidden=nrelu sparsity_cost=0", 13},
        {"rbm k=2", 3},           {"rbm units=gaussian chains=7", 13},
        {"rbm chains=7", 2},      {"rbm sparsity_cost=0.3", 13},
        {"rbm chains=2", 3}};
    for (const auto &[text, rows] : cases) {
        Machine m(text, lines_for(text));
        ASSERT_TRUE(m.objective) << m.error.text;
        const long chains = m.self()->chains;
        const Reals x = bits(rows * 9, 1);
        const ls_batch whole = m.batch(x);
        const bool persistent = chains > 0;
        Reals all(chains * 9), cut;
        m.objective->type->begin_rows(m.objective, 0, 5, 0, chains, all.data());
        cut = all;
        const Reals begun = all;
        ls_sums sums, total = {}, part;
        ls_carried carried = {0, chains, all.data()};
        const Reals expected = m.step(whole, 0, 1, persistent ? &carried : nullptr, &sums);
        std::vector<double> found(expected.size());
        for (int shard = 0; shard < 4; shard++) {
            const long first = chains * shard / 4, end = chains * (shard + 1) / 4;
            ls_carried own = {first, end - first, cut.data() + first * 9};
            const Reals gradient = m.step(whole, shard, 4, persistent ? &own : nullptr, &part);
            for (size_t i = 0; i < found.size(); i++)
                found[i] += (double)gradient[i];
            for (int k = 0; k < LS_SUMS; k++)
                total.at[k] += part.at[k];
        }
        EXPECT_EQ(all, cut) << text;
        EXPECT_EQ(persistent, all != begun) << text;
        for (int k = 0; k < LS_SUMS; k++)
            EXPECT_NEAR(total.at[k], sums.at[k], 10 * EPSILON * (1 + std::fabs(sums.at[k]))) << k;
        for (size_t i = 0; i < found.size(); i++)
            ASSERT_NEAR(found[i], expected[i], 20 * EPSILON) << text << i;
    }
}

/* The chains are more than go through the arrays at once: the pieces are a matter of memory. */
TEST(Rbm, ChainsGoThroughInPieces)
{
    const long chains = 2 * LS_RBM_PIECE + 50;
    Machine m("rbm chains=562", LINES, 2), larger("rbm chains=562", LINES, 600);
    const Reals x = bits(2 * 9, 1);
    Reals one(chains * 9), other;
    m.objective->type->begin_rows(m.objective, 0, 5, 0, chains, one.data());
    other = one;
    ls_sums sums;
    ls_carried first = {0, chains, one.data()}, second = {0, chains, other.data()};
    EXPECT_EQ(m.step(m.batch(x), 0, 1, &first, &sums),
              larger.step(m.batch(x), 0, 1, &second, &sums));
    EXPECT_EQ(one, other);
}

TEST(Rbm, ChainsBeginAsFunctionsOfSeedAndRow)
{
    Machine m("rbm chains=9", LINES), normal("rbm chains=9 units=gaussian", LINES);
    for (Machine *each : {&m, &normal}) {
        Reals all(9 * 9), part(2 * 9), other(9 * 9);
        auto begin = [&](uint64_t seed, long first, long n, Reals &to) {
            each->objective->type->begin_rows(each->objective, 0, seed, first, n, to.data());
        };
        begin(5, 0, 9, all);
        begin(5, 4, 2, part);
        begin(6, 0, 9, other);
        EXPECT_EQ(Reals(all.begin() + 36, all.begin() + 54), part);
        EXPECT_NE(all, other);
    }
    EXPECT_EQ(m.objective->row_states.at[0].rows, 9);
    EXPECT_EQ(m.objective->row_states.at[0].reals, 9);
}

/* Without chains there is the row state all the same, of no rows: so a resume knows its name. */
TEST(Rbm, WithoutChainsTheRowStateIsEmpty)
{
    Machine m("rbm", LINES);
    EXPECT_EQ(m.objective->row_states.count, 1);
    EXPECT_EQ(m.objective->row_states.at[0].rows, 0);
}

/* While constants stay, a parameter moves the loss, and the chains stay where they were. */
TEST(Rbm, ChainsStayWhileConstantsDo)
{
    for (const char *text : {"rbm k=2", "rbm k=2 chains=6"}) {
        Machine m(text, LINES);
        const Reals x = bits(60 * 9, 1);
        ls_params *params = m.net.params();
        const long place = params->slots[2].offset; /* the first visible bias: F is linear in it */
        ls_sums sums;
        params->constants_stay = true;
        const Reals gradient = m.step(m.batch(x), 0, 1, nullptr, &sums);
        const double before = sums.at[LS_SUM_LOSS];
        params->values[place] += 20;
        m.step(m.batch(x), 0, 1, nullptr, &sums);
        EXPECT_NEAR(sums.at[LS_SUM_LOSS] - before, 20 * gradient[place], 1e3 * EPSILON) << text;
        params->constants_stay = false;
        m.step(m.batch(x), 0, 1, nullptr, &sums);
        EXPECT_GT(std::fabs(sums.at[LS_SUM_LOSS] - before - 20 * gradient[place]), 1) << text;
    }
}

/* Chi-square of the visible states of many chains against exp(-F), over all 64 of them. */
TEST(Rbm, ChainsMixToTheDistributionOfAllStates)
{
    const long n = 6, rows = 256, repeats = 80, states = 1 << n;
    Machine m("rbm", "6 | dense units=6 visible=1", 1, rows);
    std::vector<double> expected(states), count(states);
    double z = 0, chi = 0;
    for (long s = 0; s < states; s++) {
        Reals v(n);
        for (long i = 0; i < n; i++)
            v[i] = s >> i & 1;
        z += expected[s] = std::exp(-free_energy(m, v.data()));
    }
    for (long repeat = 0; repeat < repeats; repeat++) {
        Reals v(rows * n, 0);
        ls_rbm_chains chains = {};
        chains.seed = 3;
        chains.step = (uint64_t)repeat;
        chains.rows = rows;
        chains.v = v.data();
        ls_rbm_move(m.self(), &m.self()->evaluation, &chains, 0, 40);
        for (long r = 0; r < rows; r++) {
            long state = 0;
            for (long i = 0; i < n; i++)
                state |= (long)v[r * n + i] << i;
            count[state]++;
        }
    }
    for (long s = 0; s < states; s++) {
        const double mean = expected[s] / z * (double)(rows * repeats);
        ASSERT_GT(mean, 5);
        chi += (count[s] - mean) * (count[s] - mean) / mean;
    }
    EXPECT_LT(chi, 103.4); /* 63 degrees of freedom, p = 0.001 */
    EXPECT_GT(chi, 32.8);  /* p = 0.999 */
}

TEST(Rbm, EvaluationIsItsFormulas)
{
    const long rows = 11;
    Machine m("rbm", LINES);
    const Reals x = bits(rows * 9, 1), w = m.logical(0), b = m.logical(1), a = m.logical(2);
    Reals y;
    const ls_sums sums = m.evaluate(x, &y);
    double energy = 0, activity = 0, distance = 0;
    for (long r = 0; r < rows; r++) {
        energy += free_energy(m, &x[r * 9]);
        std::vector<double> back(a.begin(), a.end());
        for (size_t j = 0; j < b.size(); j++) {
            double input = b[j];
            for (long i = 0; i < 9; i++)
                input += (double)w[j * 9 + i] * x[r * 9 + i];
            const double mean = 1 / (1 + std::exp(-input));
            activity += mean / (double)b.size();
            for (long i = 0; i < 9; i++)
                back[i] += mean * w[j * 9 + i];
        }
        for (long i = 0; i < 9; i++) {
            EXPECT_NEAR(y[r * 9 + i], back[i], 20 * EPSILON);
            distance += std::pow(1 / (1 + std::exp(-back[i])) - x[r * 9 + i], 2) / 9;
        }
    }
    EXPECT_EQ(sums.at[LS_SUM_WEIGHT], rows);
    EXPECT_NEAR(sums.at[LS_RBM_ENERGY], energy, EPSILON * std::fabs(energy));
    EXPECT_NEAR(sums.at[LS_RBM_ACTIVITY], activity, 10 * EPSILON * activity);
    EXPECT_NEAR(sums.at[LS_RBM_RECONSTRUCTION], distance, 10 * EPSILON * distance);
}

/* Gaussian visible units and rectified hidden ones: means y and ln(1 + e^x); the energy of the
 * latter is a sum whose derivative is that mean, here by Simpson's rule from far below. */
TEST(Rbm, EvaluationOfOtherUnitsIsTheirFormulas)
{
    const long rows = 3;
    for (const char *text : {"rbm units=gaussian", "rbm units=gaussian hidden=nrelu"}) {
        const bool rectified = strstr(text, "nrelu") != nullptr;
        Machine m(text, lines_for(text));
        const Reals x = random_reals(rows * 9, 1), w = m.logical(0), b = m.logical(1),
                    a = m.logical(2);
        Reals y;
        const ls_sums sums = m.evaluate(x, &y);
        double energy = 0, activity = 0, distance = 0;
        for (long r = 0; r < rows; r++) {
            std::vector<double> back(a.begin(), a.end());
            for (long i = 0; i < 9; i++)
                energy += std::pow((double)x[r * 9 + i] - a[i], 2) / 2;
            for (size_t j = 0; j < b.size(); j++) {
                double input = b[j];
                for (long i = 0; i < 9; i++)
                    input += (double)w[j * 9 + i] * x[r * 9 + i];
                const double mean = rectified ? softplus(input) : 1 / (1 + std::exp(-input));
                const long cuts = 4000;
                const double step = (input + 40) / (2 * cuts);
                double integral = 0;
                for (long k = 0; k < cuts; k++)
                    for (int s = 0; s < 3; s++)
                        integral += (s == 1 ? 4 : 1) * step / 3 *
                                    softplus(-40 + step * (double)(2 * k + s));
                energy -= rectified ? integral : softplus(input);
                activity += mean / (double)b.size();
                for (long i = 0; i < 9; i++)
                    back[i] += mean * w[j * 9 + i];
            }
            for (long i = 0; i < 9; i++) {
                EXPECT_NEAR(y[r * 9 + i], back[i], 20 * EPSILON) << text;
                distance += std::pow(back[i] - x[r * 9 + i], 2) / 9;
            }
        }
        EXPECT_NEAR(sums.at[LS_RBM_ENERGY], energy, (IS_DOUBLE ? 1e-8 : 2e-5) * std::fabs(energy))
            << text;
        EXPECT_NEAR(sums.at[LS_RBM_ACTIVITY], activity, 10 * EPSILON * activity) << text;
        EXPECT_NEAR(sums.at[LS_RBM_RECONSTRUCTION], distance, 20 * EPSILON * distance) << text;
    }
}

TEST(Rbm, OutputsAreTheSameWithoutSums)
{
    for (const char *text : {"rbm", "rbm hidden=nrelu", "rbm units=gaussian"}) {
        Machine m(text, lines_for(text));
        const Reals x = bits(5 * 9, 1);
        Reals y;
        m.evaluate(x, &y);
        const ls_batch rows = m.batch(x);
        const real *out = m.objective->type->evaluate(m.objective, &rows, &m.pass, nullptr);
        EXPECT_EQ(Reals(out, out + x.size()), y) << text;
    }
}

/* Over many seeds, every unit of a row is flipped as often as any other. */
TEST(Rbm, PseudoLikelihoodIsThatOfEachUnitByTheOthers)
{
    Machine m("rbm", "6 | dense units=5 visible=1");
    Reals grey = random_reals(6, 3);
    for (real &value : grey)
        value = std::fabs(value);
    for (const Reals &x : {bits(6, 3), grey}) {
        double expected = 0, found = 0, square = 0;
        for (long i = 0; i < 6; i++) {
            Reals off = x, on = x;
            off[i] = 0;
            on[i] = 1;
            const double rise = free_energy(m, on.data()) - free_energy(m, off.data());
            expected -= x[i] * softplus(rise) + (1 - x[i]) * softplus(-rise);
        }
        const int seeds = 4000;
        for (int seed = 0; seed < seeds; seed++) {
            m.pass.seed = (uint64_t)seed;
            const double one = m.evaluate(x).at[LS_RBM_PSEUDO];
            found += one / seeds;
            square += one * one / seeds;
        }
        const double deviation = std::sqrt(square - found * found);
        EXPECT_GT(deviation, 0.1);
        EXPECT_NEAR(found, expected, 4 * deviation / std::sqrt(seeds));
    }
}

/* With v_i = p the right bias is ln(p / (1 - p)): a machine that is sure of 0 is no better. */
TEST(Rbm, PseudoLikelihoodOfGreyNumbersIsLargestAtTheRightModel)
{
    Machine m("rbm", "6 | dense units=5 visible=1");
    const Reals x(6, (real)0.3);
    std::fill_n(m.net.params()->values, m.net.params()->size, (real)0);
    const ls_slot *bias = nullptr;
    for (int s = 0; s < m.net.params()->count; s++)
        if (strstr(m.net.params()->slots[s].name, "visible_bias"))
            bias = &m.net.params()->slots[s];
    ASSERT_NE(bias, nullptr);
    std::vector<double> found;
    for (double value : {std::log(0.3 / 0.7), -10.0, 0.0}) {
        std::fill_n(m.net.params()->values + bias->offset, 6, (real)value);
        found.push_back(m.evaluate(x).at[LS_RBM_PSEUDO]);
    }
    EXPECT_NEAR(found[0], 6 * (0.3 * std::log(0.3) + 0.7 * std::log(0.7)), 1e-4);
    EXPECT_LT(found[1], 6 * -2.9);
    EXPECT_GT(found[0], found[2]);
}

/* Rows of an evaluation do not depend on each other. */
TEST(Rbm, EvaluationOfARowIsAFunctionOfSeedAndRow)
{
    SKIP_WITH_BLAS();
    Machine m("rbm binarize=1", LINES);
    Reals x = random_reals(8 * 9, 1), y, part;
    for (real &value : x)
        value = std::fabs(value);
    m.evaluate(x, &y);
    m.pass.row = 3;
    m.evaluate(Reals(x.begin() + 27, x.begin() + 45), &part);
    EXPECT_EQ(Reals(y.begin() + 27, y.begin() + 45), part);
}

/* A machine above other lines sees what they make in evaluation, and trains itself alone. */
TEST(Rbm, AMachineAboveSeesTheMeansBelow)
{
    const std::string lines = "9 | dense units=7 visible=1; activation function=logistic; "
                              "top: dense units=5 visible=1; activation function=logistic";
    Machine both("rbm layer=top", lines), first("rbm", lines),
        top("rbm", "7 | dense units=5 visible=1");
    EXPECT_EQ(first.self()->layer, 0);
    ASSERT_EQ(both.self()->layer, 2);
    for (int k = 0; k < 3; k++)
        ls_params_load(top.net.params(), k, both.logical(k).data(), top.net.params()->values);
    const ls_slots *slots = &both.objective->phase[0].slots;
    EXPECT_EQ(slots->count, 1);
    EXPECT_EQ(slots->at[0].begin, 3);
    EXPECT_EQ(slots->at[0].end, 6);
    const Reals x = bits(4 * 9, 1);
    ls_workspace *below = ls_workspace_create_part(both.net.get(), {0, 2}, 4, LS_INFERENCE);
    const ls_pass pass = {};
    const real *means = ls_workspace_forward(below, &pass, x.data(), 4);
    const Reals seen(means, means + 4 * 7);
    ls_workspace_destroy(below);
    EXPECT_EQ(both.evaluate(x).at[LS_RBM_ENERGY], top.evaluate(seen).at[LS_RBM_ENERGY]);
    ls_sums sums, above;
    const Reals gradient = both.step(both.batch(x), 0, 1, nullptr, &sums);
    const Reals expected = top.step(top.batch(seen), 0, 1, nullptr, &above);
    EXPECT_EQ(sums.at[LS_SUM_LOSS], above.at[LS_SUM_LOSS]);
    const long begin = both.net.params()->slots[3].offset;
    EXPECT_EQ(Reals(gradient.begin(), gradient.begin() + begin), Reals((size_t)begin, 7));
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), gradient.begin() + begin));
}

/* What is made of a row does not depend on the rows that are made with it; chains begin where they
 * are told, or at noise, and go on in steps that are the same whatever is shown of them. */
TEST(Rbm, AGeneratedRowIsAFunctionOfSeedAndRow)
{
    SKIP_WITH_BLAS();
    for (const char *text : {"rbm", "rbm units=gaussian hidden=nrelu"}) {
        Machine m(text, lines_for(text));
        const Reals x = bits(3 * 9, 1);
        const ls_batch given = m.batch(x);
        auto make = [&](ls_generation what, long row, long n) {
            Reals out(n * 9);
            what.rows = 12;
            m.pass.row = row;
            m.objective->type->generate(m.objective, &m.pass, &what, n, out.data());
            return out;
        };
        ls_generation prior = {}, noise = {}, from = {}, coarse = {};
        prior.kind = LS_GENERATE_PRIOR;
        prior.steps = 5;
        noise.kind = from.kind = LS_GENERATE_CHAINS;
        noise.each = from.each = 4;
        noise.steps = from.steps = 5;
        from.given = &given;
        coarse = from;
        coarse.each = 2;
        coarse.steps = 10;
        for (const ls_generation &what : {prior, noise, from}) {
            const Reals all = make(what, 0, 12), part = make(what, 3, 7);
            EXPECT_EQ(Reals(all.begin() + 27, all.begin() + 90), part) << text;
        }
        const Reals chains = make(from, 0, 12), other = make(coarse, 0, 6),
                    samples = make(prior, 0, 3);
        for (long c = 0; c < 3; c++) {
            auto row = [](const Reals &of, long r) {
                return Reals(of.begin() + 9 * r, of.begin() + 9 * (r + 1));
            };
            EXPECT_EQ(row(chains, 4 * c), row(x, c));
            EXPECT_NE(row(chains, 4 * c + 1), row(x, c));
            EXPECT_EQ(row(chains, 4 * c + 2), row(other, 2 * c + 1)) << "10 steps, at once or not";
            EXPECT_EQ(row(make(noise, 0, 12), 4 * c + 1), row(samples, c)) << "5 steps from noise";
        }
    }
}

/* Chains that are longer than a chunk have the rows of chains that are not, for a rank that has all
 * chunks and for one that has every other; and a chunk goes on from the end of the last one, so
 * that all take as long. */
TEST(Rbm, AChainLongerThanAChunkIsFollowed)
{
    SKIP_WITH_BLAS();
    const char *const above = "9 | dense units=7 visible=1; activation function=logistic; "
                              "top: dense units=5 visible=1";
    for (const char *text : {"rbm", "rbm units=gaussian", "rbm layer=top"}) {
        const char *lines = strstr(text, "top") ? above : LINES;
        Machine whole(text, lines, 0, 64), cut(text, lines, 0, 4);
        const Reals x = bits(2 * 9, 1);
        const ls_batch given = whole.batch(x);
        auto make = [](Machine &m, const ls_generation &what, long row, long n) {
            Reals out(n * 9);
            m.pass.row = row;
            m.objective->type->generate(m.objective, &m.pass, &what, n, out.data());
            return out;
        };
        for (const ls_batch *start : {(const ls_batch *)nullptr, &given}) {
            ls_generation what = {};
            what.kind = LS_GENERATE_CHAINS;
            what.given = start;
            what.rows = 22;
            what.each = 11;
            what.steps = 3;
            const Reals all = make(whole, what, 0, 22);
            for (long stride : {4, 8})
                for (long row = 0; row < 22; row += stride) {
                    const long n = std::min(4L, 22 - row);
                    EXPECT_EQ(make(cut, what, row, n),
                              Reals(all.begin() + row * 9, all.begin() + (row + n) * 9))
                        << text << row;
                }
            if (cut.self()->down.count > 0)
                continue; /* samples by the same random numbers soon forget where they came from */
            real *kept = cut.self()->evaluation.visible + 4 * 9;
            make(cut, what, 0, 4);
            for (long i = 0; i < 9; i++)
                kept[i] = 1 - kept[i];
            EXPECT_NE(make(cut, what, 4, 4), Reals(all.begin() + 36, all.begin() + 72)) << text;
        }
    }
}

TEST(Rbm, FrozenSlotsGetNoGradient)
{
    for (const char *text : {"rbm", "rbm chains=3"})
        for (int slot = 0; slot < 3; slot++) {
            Machine m(text, LINES);
            ls_slots frozen = {};
            ls_slots_add(&frozen, slot, slot + 1);
            m.pass.frozen = &frozen;
            ls_sums sums;
            const Reals x = bits(4 * 9, 1), gradient = m.step(m.batch(x), 0, 1, nullptr, &sums);
            for (int k = 0; k < 3; k++) {
                const long place = m.net.params()->slots[k].offset;
                EXPECT_EQ(gradient[place] == 0, k == slot) << text << slot << k;
            }
        }
}

/* What `bytes` says is what compile takes, but for the few of its structs. */
TEST(Rbm, BytesAreWhatItTakes)
{
    const std::string lines = "200 | dense units=150 visible=1; activation function=logistic; "
                              "top: dense units=100 visible=1";
    for (const char *text : {"rbm", "rbm binarize=1", "rbm chains=400", "rbm layer=top"})
        for (long rows : {0L, 300L})
            for (long chunk : {0L, 500L}) {
                Machine m(text, lines, 0, 0);
                const size_t held = ls_memory_held();
                m.objective->type->compile(m.objective, rows, chunk);
                const double expected = (double)m.objective->type->bytes(m.objective, rows, chunk);
                EXPECT_NEAR((double)(ls_memory_held() - held), expected, 1e4)
                    << text << " " << rows << " " << chunk;
                EXPECT_EQ(expected > 1e6, rows + chunk > 0);
            }
}

/* A line may be called as the word that stands for the first machine; a line is then meant. */
TEST(Rbm, ALineCalledFirstIsTaken)
{
    const std::string before = "9 | a: dense units=7 visible=1; activation function=logistic; ";
    EXPECT_EQ(Machine("rbm layer=first", before + "first: dense units=5 visible=1").self()->layer,
              2);
    EXPECT_EQ(Machine("rbm layer=first", before + "top: dense units=5 visible=1").self()->layer, 0);
}

TEST(Rbm, ASetupThatWorksLeavesNoError)
{
    Machine m("rbm", LINES);
    ASSERT_TRUE(m.objective);
    EXPECT_EQ(m.error.code, 0);
    EXPECT_STREQ(m.error.text, "");
}

TEST(Rbm, PixelsThatAreDrawnAreProbabilities)
{
    const std::string lines = "9 | dense units=7 visible=1; activation function=logistic; "
                              "top: dense units=5 visible=1";
    auto rule = [&](const char *text) { return Machine(text, lines).objective->x_rule; };
    EXPECT_EQ(rule("rbm"), &ls_pixels_rule);
    EXPECT_EQ(rule("rbm layer=top"), nullptr);
    EXPECT_EQ(rule("rbm layer=top binarize=1"), &ls_pixels_rule);
    ASSERT_NE(rule("rbm units=gaussian"), nullptr);
    EXPECT_TRUE(rule("rbm units=gaussian")->standard);
}

TEST(Rbm, JudgesByWhatItsUnitsHave)
{
    const std::map<std::string, std::string> judged = {
        {"rbm", "pseudo_likelihood"},
        {"rbm chains=3", "pseudo_likelihood"},
        {"rbm units=gaussian", "reconstruction"},
        {"rbm units=gaussian chains=3", "reconstruction"}};
    for (const auto &each : judged) {
        Machine m(each.first, LINES);
        ASSERT_GE(m.objective->judged, 0);
        EXPECT_EQ(m.objective->metric[m.objective->judged].name, each.second);
        EXPECT_FALSE(m.objective->metric[0].evaluated) << "the progress line shows it";
    }
}

TEST(Rbm, TellsOfUnitsThatAreAllOffOrOn)
{
    Machine m("rbm", LINES);
    double value[LS_METRICS] = {};
    auto trouble = [&](double activity) {
        value[m.self()->activity] = activity;
        const char *words = m.objective->type->advice.trouble(m.objective, value);
        return std::string(words ? words : "");
    };
    EXPECT_EQ(trouble(0.2), "");
    EXPECT_NE(trouble(1e-5).find("are off"), std::string::npos);
    EXPECT_NE(trouble(0.99999).find("are on"), std::string::npos);
}

/* A mean that was asked for is no trouble. */
TEST(Rbm, FewUnitsAreNoTroubleWhereFewAreWanted)
{
    Machine m("rbm sparsity=0.001 sparsity_cost=0.1", LINES);
    double value[LS_METRICS] = {};
    value[m.self()->activity] = 0.0008;
    EXPECT_EQ(m.objective->type->advice.trouble(m.objective, value), nullptr);
    value[m.self()->activity] = 0.00008;
    EXPECT_NE(m.objective->type->advice.trouble(m.objective, value), nullptr);
}

TEST(Rbm, RefusesWhatIsNoMachine)
{
    const std::map<std::string, const char *> refused = {
        {"rbm layer=x", "layer=x: the net net has no such line; restricted Boltzmann machines are: "
                        "dense1"},
        {"rbm layer=activation1", "net/activation1 is of type activation and has no bias"},
        {"rbm net=encoder", "wants a net named 'encoder'"},
        {"rbm units=gaussian binarize=1", "take units=bernoulli"},
        {"rbm hidden=nrelu sparsity_cost=1", "hidden=nrelu are not"},
        {"rbm hidden=nrelu", "layer=dense1: hidden=nrelu is of units with function=relu, but the "
                             "line after it, activation1, has function=logistic: let that be relu, "
                             "or take other units"},
        {"rbm k=0", "k"}};
    for (const auto &each : refused) {
        Machine m(each.first, LINES);
        EXPECT_FALSE(m.objective) << each.first;
        EXPECT_NE(std::string(m.error.text).find(each.second), std::string::npos) << m.error.text;
    }
    Machine relu("rbm", RECTIFIED);
    EXPECT_NE(std::string(relu.error.text)
                  .find("hidden=bernoulli is of units with "
                        "function=logistic"),
              std::string::npos)
        << relu.error.text;
    Machine none("rbm", "9 | dense units=3");
    EXPECT_STREQ(none.error.text, "layer=first: the net net has no line that is a restricted "
                                  "Boltzmann machine: `dense units=N visible=1`");
    Machine other("rbm layer=top", "9 | dense units=5; activation function=tanh; "
                                   "top: dense units=3 visible=1");
    EXPECT_STREQ(other.error.text,
                 "layer=top: units=bernoulli is of numbers from 0 to 1, but those that activation1 "
                 "gives it can be others: let that be `activation function=logistic`, or take "
                 "units=gaussian");
    Machine branched("rbm layer=top", "9 | a: dense units=5; top: dense @input units=5 visible=1; "
                                      "sum @a @top");
    EXPECT_NE(std::string(branched.error.text).find("does not read the line before it"),
              std::string::npos)
        << branched.error.text;
}
