/* embedding and onehot: vectors of tokens, and what is no token. */
#include "one_layer.h"

TEST(Embedding, GivesTheTokensRowsAndAddsTheirGradients)
{
    const long vocabulary = 4, width = 3;
    OneLayer one("embedding vocabulary=4 width=3", {5});
    const Reals w = random_reals(vocabulary * width, 1), x = {3, 0, 3, 1, 3, 0, 0, 0, 0, 2};
    one.set(0, w);
    const Reals y = one.forward(x.data(), 2), dy = random_reals((long)y.size(), 2);
    Reals dx(x.size(), NOTHING);
    one.backward(dy, dx.data(), false, true);
    std::vector<double> expected, gradient(vocabulary * width, 0);
    for (size_t i = 0; i < x.size(); i++)
        for (long j = 0; j < width; j++) {
            expected.push_back(w[(long)x[i] * width + j]);
            gradient[(long)x[i] * width + j] += dy[i * width + j];
        }
    expect_near(y, expected, "y");
    expect_near(one.gradient_of(0), gradient, "dweight");
    EXPECT_EQ(dx, Reals(x.size(), 0));
    EXPECT_EQ(one.layer->y.rank, 2);
}

TEST(Embedding, OnehotIsOneAtTheToken)
{
    OneLayer one("onehot vocabulary=3", {2, 1});
    const Reals x = {2, 0};
    EXPECT_EQ(one.forward(x.data(), 1), Reals({0, 0, 1, 1, 0, 0}));
    EXPECT_EQ(one.layer->y.rank, 3);
}

TEST(Embedding, WhatIsNoTokenIsNotRead)
{
    for (const char *line : {"embedding vocabulary=3 width=2", "onehot vocabulary=3"})
        for (double token : {3.0, -1.0, 1e30, -1e30, (double)NOTHING}) {
            OneLayer one(line, {2});
            const Reals x = {(real)token, 1};
            const Reals y = one.forward(x.data(), 1), dy(y.size(), 1);
            const size_t width = y.size() / 2;
            for (size_t j = 0; j < y.size(); j++)
                EXPECT_EQ(std::isnan(y[j]), j < width) << token;
            if (one.layer->slots == 0)
                continue;
            one.backward(dy, nullptr, false, true);
            EXPECT_EQ(one.gradient_of(0), Reals({0, 0, 1, 1, 0, 0})) << token;
        }
}

TEST(Embedding, TheSmallestVocabularyOfANetIsTheDatas)
{
    const ls_shape shape = shape_of({4});
    EXPECT_EQ(ls_net_vocabulary(Net("a: embedding vocabulary=9 width=2\n"
                                    "onehot @input vocabulary=7\nconcat @a,onehot1\n",
                                    shape)
                                    .get()),
              7);
    EXPECT_EQ(ls_net_vocabulary(Net("dense units=2\n", shape).get()), 0);
}

TEST(Embedding, NeedsRoomForADimension)
{
    EXPECT_NE(
        refusal("onehot vocabulary=3", {1, 1, 1, 1, 1, 1}).find("at most 5; found 1x1x1x1x1x1"),
        std::string::npos);
    EXPECT_NE(refusal("embedding width=3", {2}).find("vocabulary"), std::string::npos);
}
