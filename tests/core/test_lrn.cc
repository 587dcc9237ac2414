/* lrn against its definition in double. */
#include "one_layer.h"

namespace
{

struct Options {
    long size;
    double alpha, beta, k;
};

std::string line_of(const Options &o)
{
    return "lrn size=" + std::to_string(o.size) + " alpha=" + std::to_string(o.alpha) +
           " beta=" + std::to_string(o.beta) + " k=" + std::to_string(o.k);
}

/* y of one place of `channels`. */
std::vector<double> define(const Options &o, const real *x, long channels)
{
    std::vector<double> y(channels);
    for (long c = 0; c < channels; c++) {
        double sum = 0;
        for (long j = c - o.size / 2; j <= c + o.size / 2; j++)
            sum += j >= 0 && j < channels ? (double)x[j] * x[j] : 0;
        y[c] = x[c] * std::pow(o.k + o.alpha * sum, -o.beta);
    }
    return y;
}

const Options variants[] = {
    {5, 1e-4, 0.75, 2}, {5, 0.5, 0.75, 1}, {3, 0.25, 0.5, 2}, {1, 2, 1, 0.5}, {41, 0.1, 0.75, 1}};

} /* namespace */

TEST(Lrn, IsItsDefinition)
{
    for (const Options &o : variants)
        for (long channels : {1, 4, 37}) {
            SCOPED_TRACE(line_of(o) + ", channels " + std::to_string(channels));
            OneLayer lrn(line_of(o).c_str(), {3, 2, channels});
            Reals x = random_reals(2 * lrn.x_count(), 1), y = lrn.forward(x.data(), 2);
            for (long place = 0; place < 12; place++) {
                Reals part(y.begin() + place * channels, y.begin() + (place + 1) * channels);
                expect_near(part, define(o, &x[place * channels], channels), "y");
            }
        }
}

/* dx[j] = sum over c of dy[c] dy_c/dx_j, with the derivatives of the definition by hand. */
TEST(Lrn, SlopeIsThatOfTheDefinition)
{
    const long channels = 23;
    for (const Options &o : variants) {
        SCOPED_TRACE(line_of(o));
        OneLayer lrn(line_of(o).c_str(), {channels});
        Reals x = random_reals(channels, 1), dy = random_reals(channels, 2), dx(channels, NAN);
        std::vector<double> expected(channels);
        for (long c = 0; c < channels; c++) {
            double s = o.k;
            for (long j = 0; j < channels; j++)
                s += labs(j - c) <= o.size / 2 ? o.alpha * x[j] * x[j] : 0;
            expected[c] += dy[c] * std::pow(s, -o.beta);
            for (long j = 0; j < channels; j++)
                expected[j] -= labs(j - c) > o.size / 2 ? 0
                                                        : dy[c] * x[c] * o.beta * 2 * o.alpha *
                                                              x[j] * std::pow(s, -o.beta - 1);
        }
        lrn.forward(x.data(), 1);
        lrn.backward(dy, dx.data(), false, true);
        expect_near(dx, expected, "dx");
    }
}

TEST(Lrn, ThePaperIsThePreset)
{
    OneLayer preset("lrn", {2, 2, 9}), paper("lrn size=5 alpha=1e-4 beta=0.75 k=2", {2, 2, 9});
    Reals x = random_reals(36, 1);
    for (real &value : x)
        value *= 100;
    EXPECT_EQ(preset.forward(x.data(), 1), paper.forward(x.data(), 1));
}

TEST(Lrn, RefusesAnEvenSize)
{
    EXPECT_NE(refusal("lrn size=4", {3, 3, 8}).find("size=4 has no middle"), std::string::npos);
    EXPECT_NE(refusal("lrn k=0", {3, 3, 8}).find("out of range"), std::string::npos);
}
