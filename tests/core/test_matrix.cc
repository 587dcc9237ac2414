/* test_matrix: products with a weight in panels against sums in double: odd sizes, rows that lie
 * apart, adding, parts. */
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "instructions.h"

extern "C" {
#include "core/kernels/matrix.h"
}

namespace
{

const double tolerance =
    sizeof(real) == 4 ? 5e-5 : 1e-13; /* of sums of up to 1000 products below 1/4 */
const real untouched = 77;

struct Sizes {
    long rows, in, out;
};
const Sizes all_sizes[] = {{1, 1, 1},      {0, 5, 7},    {3, 32, 32},   {29, 40, 70}, {17, 65, 100},
                           {460, 530, 33}, {5, 9, 1000}, {300, 40, 70}, {64, 33, 530}};

/* A matrix whose rows lie apart, with marked numbers between them. */
struct Rows {
    long rows, columns, row;
    std::vector<real> at;

    Rows(std::mt19937 &random, long rows, long columns, long gap)
        : rows(rows), columns(columns), row(columns + gap),
          at((size_t)(rows * (columns + gap) + 1), untouched)
    {
        std::uniform_real_distribution<double> uniform(-0.5, 0.5);
        for (long i = 0; i < rows; i++)
            for (long j = 0; j < columns; j++)
                at[(size_t)(i * row + j)] = (real)uniform(random);
    }
    double operator()(long i, long j) const
    {
        return (double)at[(size_t)(i * row + j)];
    }
};

/* A weight [out, in], plain and in panels. */
struct Weight {
    ls_matrix size;
    Rows plain;
    std::vector<real> panels;

    Weight(std::mt19937 &random, long out, long in)
        : size{out, in}, plain(random, out, in, 0), panels(stored(plain))
    {
    }
    static std::vector<real> stored(const Rows &plain)
    {
        ls_shape shape = {2, {plain.rows, plain.columns}};
        std::vector<real> panels((size_t)ls_panel_layout.size(&ls_panel_layout, &shape), 9);
        ls_panel_layout.load(&ls_panel_layout, &shape, plain.at.data(), panels.data());
        return panels;
    }
};

struct Scratch {
    std::vector<real> reals;
    explicit Scratch(const ls_matrix &m) : reals((size_t)ls_matrix_scratch(&m) + 16)
    {
    }
    real *at()
    {
        size_t past = (size_t)reals.data() % 64 / sizeof(real);
        return reals.data() + (past ? 64 / sizeof(real) - past : 0);
    }
};

/* The product of row i of x with row j of the weight, or (turned) with column j. */
double sum_of(const Rows &x, const Weight &w, bool turned, long i, long j)
{
    double sum = 0;
    for (long k = 0; k < x.columns; k++)
        sum += x(i, k) * (turned ? w.plain(k, j) : w.plain(j, k));
    return sum;
}

/* How the sum of a product begins. */
enum Start { FROM_0, FROM_BIAS, FROM_Y };

enum Way { APPLY, TURNED, TURNED_COPY };

/* Runs a product and compares all of y, and what lies between its rows. */
void try_product(std::mt19937 &random, const Sizes &s, Way way, Start start, long gap)
{
    SCOPED_TRACE(testing::Message() << s.rows << " rows, in " << s.in << ", out " << s.out
                                    << ", way " << way << ", start " << start << ", gap " << gap);
    const bool turned = way != APPLY;
    const long in = turned ? s.out : s.in, out = turned ? s.in : s.out;
    Weight w(random, s.out, s.in);
    Rows x(random, s.rows, in, gap), y(random, s.rows, out, 2 * gap), bias(random, 1, out, 0);
    const Rows before = y;
    const ls_matrix exchanged = {s.in, s.out};
    const ls_matrix &m = way == TURNED_COPY ? exchanged : w.size;
    std::vector<real> copy((size_t)ls_panel_size(s.in, s.out), 9);
    ls_matrix_turn(&w.size, w.panels.data(), copy.data());
    Scratch scratch(m);
    ls_product p = {};
    p.rows = s.rows, p.x = x.at.data(), p.x_row = x.row, p.y = y.at.data(), p.y_row = y.row;
    p.weight = way == TURNED_COPY ? copy.data() : w.panels.data();
    p.bias = start == FROM_BIAS ? bias.at.data() : nullptr;
    p.add = start == FROM_Y, p.scratch = scratch.at();
    (way == TURNED ? ls_matrix_turned : ls_matrix_apply)(&m, &p);
    for (long i = 0; i < s.rows; i++) {
        for (long j = 0; j < out; j++) {
            const double first = start == FROM_Y      ? before(i, j)
                                 : start == FROM_BIAS ? bias(0, j)
                                                      : 0;
            ASSERT_NEAR(y(i, j), first + sum_of(x, w, turned, i, j), tolerance)
                << "row " << i << ", column " << j;
        }
        for (long j = out; j < y.row; j++)
            ASSERT_EQ(y(i, j), (double)untouched) << "between rows " << i << " and " << i + 1;
    }
    ASSERT_EQ(y.at.back(), untouched) << "behind y";
}

void try_products(Way way)
{
    std::mt19937 random(7);
    for (const Sizes &s : all_sizes)
        for (Start start : {FROM_0, FROM_BIAS, FROM_Y})
            for (long gap : {0, 1, 37})
                try_product(random, s, way, start, gap);
}

TEST(Matrix, ApplyIsTheProductWithTheTransposedWeight)
{
    try_products(APPLY);
}

TEST(Matrix, TurnedIsTheProductWithTheWeight)
{
    try_products(TURNED);
}

TEST(Matrix, ATurnedCopyGivesTheProductWithTheWeight)
{
    try_products(TURNED_COPY);
}

/* y of all rows at once, of a few at a time, and of the way that ls_matrix_turned leaves to a small
 * number of rows. */
TEST(Matrix, ARowHasTheSameBitsWhateverIsComputedWithIt)
{
    SKIP_WITH_BLAS();
    std::mt19937 random(7);
    for (const Sizes &s : {Sizes{300, 530, 33}, Sizes{300, 33, 530}, Sizes{290, 100, 1100}})
        for (Way way : {APPLY, TURNED})
            for (bool add : {false, true}) {
                Weight w(random, s.out, s.in);
                Rows x(random, s.rows, way == TURNED ? s.out : s.in, 1);
                Rows y(random, s.rows, way == TURNED ? s.in : s.out, 3), whole = y;
                Scratch scratch(w.size);
                ls_product p = {};
                p.x_row = x.row, p.y_row = y.row, p.add = add, p.scratch = scratch.at();
                p.weight = w.panels.data();
                p.rows = s.rows, p.x = x.at.data(), p.y = whole.at.data();
                (way == TURNED ? ls_matrix_turned : ls_matrix_apply)(&w.size, &p);
                for (long r = 0; r < s.rows; r += p.rows) {
                    p.rows = std::min(1 + r % 50, s.rows - r);
                    p.x = x.at.data() + r * x.row, p.y = y.at.data() + r * y.row;
                    (way == TURNED ? ls_matrix_turned : ls_matrix_apply)(&w.size, &p);
                }
                EXPECT_EQ(y.at, whole.at) << "in " << s.in << ", out " << s.out << ", way " << way;
            }
}

/* The gradient of the outputs in `parts`, added to dw, of a weight [out, in]. */
void add_gradient(const Sizes &s, const Rows &x, const Rows &dy,
                  const std::vector<ls_interval> &parts, std::vector<real> &dw)
{
    const ls_matrix m = {s.out, s.in};
    Scratch scratch(m);
    ls_outer g = {};
    g.rows = s.rows, g.x = x.at.data(), g.x_row = x.row, g.dy = dy.at.data(), g.dy_row = dy.row;
    g.dweight = dw.data(), g.scratch = scratch.at();
    for (ls_interval part : parts) {
        g.part = part;
        ls_matrix_gradient(&m, &g);
    }
}

TEST(Matrix, GradientIsAddedAndTheZerosStay)
{
    std::mt19937 random(7);
    for (const Sizes &s : all_sizes)
        for (long gap : {0, 1, 37}) {
            Weight before(random, s.out, s.in);
            Rows x(random, s.rows, s.in, gap), dy(random, s.rows, s.out, 2 * gap);
            Rows wanted = before.plain;
            for (long o = 0; o < s.out; o++)
                for (long k = 0; k < s.in; k++) {
                    double sum = before.plain(o, k);
                    for (long i = 0; i < s.rows; i++)
                        sum += dy(i, o) * x(i, k);
                    wanted.at[(size_t)(o * s.in + k)] = (real)sum;
                }
            const std::vector<real> expected = Weight::stored(wanted);
            std::vector<real> dw = before.panels;
            add_gradient(s, x, dy, {{0, s.out}}, dw);
            for (size_t i = 0; i < dw.size(); i++)
                ASSERT_NEAR((double)dw[i], (double)expected[i], tolerance)
                    << s.rows << " rows, in " << s.in << ", out " << s.out << ", gap " << gap;
            for (long o = s.out; o < ls_panel_count(s.out) * LS_PANEL; o++)
                for (long k = 0; k < s.in; k++)
                    ASSERT_EQ(
                        dw[(size_t)(o / LS_PANEL * s.in * LS_PANEL + k * LS_PANEL + o % LS_PANEL)],
                        0);
        }
}

TEST(Matrix, PartsOfTheGradientAreTheSameNumbers)
{
    std::mt19937 random(7);
    for (const Sizes &s : all_sizes) {
        Weight before(random, s.out, s.in);
        Rows x(random, s.rows, s.in, 3), dy(random, s.rows, s.out, 5);
        std::vector<real> whole = before.panels, joined = before.panels;
        std::vector<ls_interval> parts;
        for (long o = 0, panels = 1; o < s.out; o = parts.back().end, panels = 4 - panels)
            parts.push_back({o, std::min(o + panels * LS_PANEL, s.out)});
        add_gradient(s, x, dy, {{0, s.out}}, whole);
        add_gradient(s, x, dy, parts, joined);
        EXPECT_EQ(whole, joined) << s.rows << " rows, in " << s.in << ", out " << s.out;
    }
}

} /* namespace */
