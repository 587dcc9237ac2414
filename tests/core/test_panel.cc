/* test_panel: the micro-kernels of every instruction set against sums in double, and the layout of
 * panels. */
#include <gtest/gtest.h>

#include <sys/mman.h>

#include <climits>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

extern "C" {
#include "core/kernels/panel.h"
}

namespace
{

const double tolerance =
    sizeof(real) == 4 ? 5e-6 : 1e-14; /* of sums of about 100 products below 1/4 */

struct Numbers {
    std::mt19937 random{7};

    std::vector<real> draw(long count)
    {
        std::uniform_real_distribution<double> uniform(-0.5, 0.5);
        std::vector<real> values((size_t)count);
        for (real &value : values)
            value = (real)uniform(random);
        return values;
    }
    long upto(long most)
    {
        return 1 + (long)(random() % (unsigned long)most);
    }
};

long panels(long columns)
{
    return (columns + LS_PANEL - 1) / LS_PANEL;
}

/* One product with random strides, columns and starts; the largest error. */
double try_product(const ls_tiles *tiles, Numbers &numbers, bool across)
{
    long rows = numbers.upto(40), columns = numbers.upto(150);
    ls_tile t = {};
    t.segments = numbers.upto(3);
    t.depth = numbers.upto(3) == 1 ? numbers.upto(3) : numbers.upto(60);
    t.a.row = across ? 1 : numbers.upto(20);
    t.a.segment = numbers.upto(200);
    t.a.depth = across ? 40 + numbers.upto(9) : numbers.upto(3);
    t.far = t.a.depth == 1 && numbers.upto(2) == 1;
    t.b.segment = LS_PANEL * t.depth;
    t.b.panel = t.b.segment * t.segments + (numbers.upto(3) - 1) * 16;
    t.c.panel = numbers.upto(2) == 1 ? long(LS_PANEL) : 3 * LS_PANEL + 1;
    t.c.row = numbers.upto(2) == 1 ? panels(columns) * t.c.panel : long(LS_PANEL);
    if (t.c.row == LS_PANEL)
        t.c.panel = rows * LS_PANEL;
    t.add = numbers.upto(2) == 1;
    std::vector<real> bias = numbers.draw(columns);
    t.bias = numbers.upto(2) == 1 ? bias.data() : nullptr;
    std::vector<real> a = numbers.draw(40 * 20 + 3 * 200 + 60 * 50),
                      b = numbers.draw(panels(columns) * t.b.panel);
    std::vector<real> before = numbers.draw(rows * t.c.row + panels(columns) * t.c.panel),
                      c = before;

    ls_ahead after = {b.data(), b.data() + b.size(), nullptr};
    ls_ahead ahead = {a.data(), a.data() + a.size() / 2, &after};
    t.ahead = numbers.upto(2) == 1 ? &ahead : nullptr;
    tiles->run(&t, rows, columns, a.data(), b.data(), c.data());
    std::vector<double> wanted(before.begin(), before.end());
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) {
            double sum = t.add ? 0 : t.bias ? (double)bias[(size_t)j] : 0;
            for (long s = 0; s < t.segments; s++)
                for (long k = 0; k < t.depth; k++)
                    sum += (double)a[(size_t)(i * t.a.row + s * t.a.segment + k * t.a.depth)] *
                           (double)b[(size_t)(j / LS_PANEL * t.b.panel + j % LS_PANEL +
                                              s * t.b.segment + k * LS_PANEL)];
            double &at = wanted[(size_t)(i * t.c.row + j / LS_PANEL * t.c.panel + j % LS_PANEL)];
            at = t.add ? at + sum : sum;
        }
    double worst = 0;
    for (size_t i = 0; i < c.size(); i++)
        worst = std::fmax(worst, std::fabs((double)c[i] - wanted[i]));
    return worst;
}

TEST(Tile, IsTheProductOnEveryInstructionSet)
{
    int tried = 0;
    for (int k = 0; ls_tiles_all[k]; k++) {
        if (!ls_tiles_all[k]->can())
            continue;
        Numbers numbers;
        for (int round = 0; round < 1000; round++)
            EXPECT_LT(try_product(ls_tiles_all[k], numbers, round % 2), tolerance)
                << ls_tiles_all[k]->name << " round " << round;
        tried++;
    }
    EXPECT_GE(tried, 1);
}

TEST(Tile, OpenBlasIsTheChoiceWhereOnlyPlainWouldBeLeft)
{
    std::string names;
    for (int k = 0; ls_tiles_all[k]; k++)
        names += std::string(ls_tiles_all[k]->name) + " ";
#ifdef __x86_64__
    EXPECT_EQ(names, "avx512 avx2 blas plain ");
#else
    EXPECT_EQ(names, "blas plain ");
#endif
}

TEST(Tile, IsDescribedByItsName)
{
    char text[100];
    const ls_tiles *best = ls_tile_best();
    ls_tile_describe(text, sizeof text);
    EXPECT_EQ(std::string(text).substr(0, strlen(best->name)), best->name);
    EXPECT_EQ(strstr(text, "OpenBLAS 0.") != nullptr, std::string(best->name) == "blas");
}

/* Address space that no memory stands behind until it is written to; NULL: there is none. */
real *vast(size_t reals)
{
    void *at = mmap(nullptr, reals * sizeof(real), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? nullptr : static_cast<real *>(at);
}

TEST(Tile, RowsMayLieFartherApartThanAnIntCounts)
{
    const long far = INT_MAX + 33L, depth = 70, columns = 40;
    const size_t reals = (size_t)far + 100;
    Numbers numbers;
    std::vector<real> b = numbers.draw(panels(columns) * depth * LS_PANEL);
    real *a = vast(reals), *c = vast(reals);
    if (!a || !c)
        GTEST_SKIP() << "no address space for " << 2 * reals << " numbers";
    for (long k = 0; k < depth; k++)
        a[k] = 1, a[far + k] = 2;
    for (int k = 0; ls_tiles_all[k]; k++) {
        if (!ls_tiles_all[k]->can())
            continue;
        ls_tile t = {};
        t.segments = 1, t.depth = depth, t.a = {far, 1, 0, 0};
        t.b.panel = depth * LS_PANEL, t.c = {far, 0, 0, LS_PANEL};
        memset(c, 0, (size_t)columns * sizeof *c);
        memset(c + far, 0, (size_t)columns * sizeof *c);
        ls_tiles_all[k]->run(&t, 2, columns, a, b.data(), c);
        for (long j = 0; j < columns; j++) {
            double sum = 0;
            for (long i = 0; i < depth; i++)
                sum += (double)b[(size_t)(j / LS_PANEL * t.b.panel + i * LS_PANEL + j % LS_PANEL)];
            ASSERT_NEAR((double)c[j], sum, 4 * tolerance) << ls_tiles_all[k]->name;
            ASSERT_NEAR((double)c[far + j], 2 * sum, 8 * tolerance) << ls_tiles_all[k]->name;
        }
    }
    munmap(a, reals * sizeof(real));
    munmap(c, reals * sizeof(real));
}

TEST(Panel, LayoutHoldsEveryNumberOnceAndZerosBeyond)
{
    ls_layout layout = ls_panel_layout;
    for (ls_shape shape : {ls_shape{2, {70, 9}}, ls_shape{4, {33, 5, 3, 2}}, ls_shape{2, {1, 1}},
                           ls_shape{4, {105, 2, 3, 1}}}) {
        layout.groups = shape.at[0] == 105 ? 3 : 1;
        long count = ls_shape_count(&shape);
        std::vector<real> logical((size_t)count), back((size_t)count);
        for (long i = 0; i < count; i++)
            logical[(size_t)i] = (real)(i + 1);
        std::vector<real> panels((size_t)layout.size(&layout, &shape), 9);
        layout.load(&layout, &shape, logical.data(), panels.data());
        layout.store(&layout, &shape, panels.data(), {0, shape.at[0]}, back.data());
        EXPECT_EQ(back, logical);
        for (long step : {1L, 31L, 32L, 50L}) {
            const long row = count / shape.at[0];
            std::vector<real> parts;
            for (long o = 0; o < shape.at[0]; o += step) {
                const ls_interval rows = {o, std::min(o + step, shape.at[0])};
                std::vector<real> part((size_t)((rows.end - rows.begin) * row));
                layout.store(&layout, &shape, panels.data(), rows, part.data());
                parts.insert(parts.end(), part.begin(), part.end());
            }
            EXPECT_EQ(parts, logical) << step << " rows at a time";
        }
        double sum = 0;
        for (real value : panels)
            sum += (double)value;
        EXPECT_EQ(sum, (double)count * ((double)count + 1) / 2);
    }
}

} /* namespace */
