/* stream: what windows of a stream of tokens hold, however the tokens are stored, and what is no
 * stream. */
#include <algorithm>
#include <stdexcept>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/dataset.h"
}

using namespace data_files;

namespace
{

using Reals = std::vector<real>;

std::vector<uint16_t> tokens(size_t n)
{
    std::vector<uint16_t> values(n);
    for (size_t i = 0; i < n; i++)
        values[i] = (uint16_t)(i * i % 301);
    return values;
}

class Stream : public testing::Test
{
  protected:
    ~Stream() override
    {
        ls_dataset_close(data);
    }
    void open(const char *name)
    {
        ls_dataset_close(data);
        data = ls_dataset_open((folder / name).c_str(), &error);
        if (!data)
            throw std::runtime_error(error.text);
    }
    /* Rows of x, or of y, of a split. */
    Reals read(ls_split_id split, const std::vector<int64_t> &rows, bool labels)
    {
        const long n = (long)rows.size();
        Reals out((size_t)(n * ls_shape_count(&ls_dataset_split(data, split)->row)));
        real *to = out.data();
        EXPECT_TRUE(ls_dataset_read(data, split, rows.data(), n, nullptr, labels ? nullptr : to,
                                    labels ? to : nullptr, &error))
            << error.text;
        return out;
    }
    Folder folder;
    ls_error error = {};
    ls_dataset *data = nullptr;
};

Reals part(const std::vector<uint16_t> &values, size_t first, size_t count)
{
    return Reals(values.begin() + (long)first, values.begin() + (long)(first + count));
}

} /* namespace */

TEST_F(Stream, WindowsAreLabelledWithTheTokensThatFollowHoweverTheyAreStored)
{
    const std::vector<uint16_t> values = tokens(100);
    const hid_t list = chunked({7}, 4);
    {
        Writer file(folder / "a.h5");
        file.put<uint16_t>("train/x", {100}, values);
        file.put<uint16_t>("valid/x", {100}, values, H5T_STD_U16BE);
        file.put<uint16_t>("test/x", {100}, values, 0, list);
    }
    H5Pclose(list);
    open("a.h5");
    ASSERT_TRUE(ls_dataset_unroll(data, 9, &error)) << error.text;
    ASSERT_TRUE(ls_dataset_unroll(data, 9, &error)) << "again is nothing new";
    ASSERT_TRUE(ls_dataset_keep(data, LS_TEST, 1 << 20, &error)) << error.text;
    EXPECT_GE(ls_dataset_split(data, LS_TRAIN)->y.start, 0); /* read by pread */
    for (ls_split_id id : {LS_TRAIN, LS_VALID, LS_TEST}) {
        const ls_split *split = ls_dataset_split(data, id);
        EXPECT_EQ(split->x.rows, 11);
        EXPECT_EQ(split->y.rows, 11);
        EXPECT_EQ(split->tokens, 100);
        EXPECT_EQ(split->classes, *std::max_element(values.begin(), values.end()) + 1);
        for (size_t row : {0, 4, 10}) {
            EXPECT_EQ(read(id, {(int64_t)row}, false), part(values, 9 * row, 9));
            EXPECT_EQ(read(id, {(int64_t)row}, true), part(values, 9 * row + 1, 9));
        }
        Reals last(5);
        ASSERT_TRUE(ls_dataset_read_tokens(data, id, 95, 5, last.data(), &error)) << error.text;
        EXPECT_EQ(last, part(values, 95, 5));
    }
}

TEST_F(Stream, TheLastTokenIsALabelAndNeedsNoWindowOfItsOwn)
{
    {
        Writer file(folder / "a.h5");
        file.put<uint8_t>("train/x", {10}, counting<uint8_t>(10));
        file.put<uint8_t>("valid/x", {11}, counting<uint8_t>(11));
    }
    open("a.h5");
    ASSERT_TRUE(ls_dataset_unroll(data, 5, &error)) << error.text;
    EXPECT_EQ(ls_dataset_split(data, LS_TRAIN)->x.rows, 1);
    EXPECT_EQ(ls_dataset_split(data, LS_VALID)->x.rows, 2);
    EXPECT_EQ(read(LS_VALID, {1}, true), (Reals{6, 7, 8, 9, 10}));
    EXPECT_EQ(ls_dataset_split(data, LS_TRAIN)->classes, 11); /* those of all splits */
}

TEST_F(Stream, TokensInMemoryAreWindowsToo)
{
    const real x[] = {3, 1, 4, 1, 5, 2, 6};
    ls_dataset_rows splits[LS_SPLITS] = {};
    splits[LS_TRAIN] = {7, x, nullptr, {1, {1}}, {}, 0, nullptr, nullptr};
    data = ls_dataset_open_rows("numbers", splits, &error);
    ASSERT_NE(data, nullptr) << error.text;
    ASSERT_TRUE(ls_dataset_unroll(data, 3, &error)) << error.text;
    EXPECT_EQ(read(LS_TRAIN, {0, 1}, false), (Reals{3, 1, 4, 1, 5, 2}));
    EXPECT_EQ(read(LS_TRAIN, {0, 1}, true), (Reals{1, 4, 1, 5, 2, 6}));
}

TEST_F(Stream, TheAttributeClassesHoldsAndTheShapeDigestKnowsTheSteps)
{
    uint64_t digest[3];
    {
        Writer file(folder / "a.h5");
        file.put<uint8_t>("train/x", {40}, counting<uint8_t>(40));
        file.classes("train/x", 98);
    }
    for (long steps : {0, 3, 4}) {
        open("a.h5");
        ASSERT_TRUE(!steps || ls_dataset_unroll(data, steps, &error)) << error.text;
        EXPECT_EQ(ls_dataset_split(data, LS_TRAIN)->classes, steps ? 98 : 0);
        digest[steps ? steps - 2 : 0] = ls_dataset_shape_digest(data);
    }
    EXPECT_NE(digest[0], digest[1]);
    EXPECT_NE(digest[1], digest[2]);
}

TEST_F(Stream, WhatIsNoStreamIsRefused)
{
    {
        Writer file(folder / "pairs.h5"), few(folder / "few.h5"), scaled(folder / "scaled.h5"),
            high(folder / "high.h5"), fine(folder / "fine.h5");
        put_pair(file, "train");
        few.put<uint8_t>("train/x", {40}, counting<uint8_t>(40));
        few.put<uint8_t>("valid/x", {1}, {3});
        scaled.put<uint8_t>("train/x", {40}, counting<uint8_t>(40));
        scaled.attribute("train/x", "scale", 0.5);
        high.put<uint8_t>("train/x", {40}, counting<uint8_t>(40));
        high.classes("train/x", 39);
        fine.put<float>("train/x", {3}, {1, 0.5, 2});
    }
    const struct {
        const char *file;
        std::vector<std::string> words;
    } cases[] = {{"pairs.h5", {"pairs.h5 has labels or targets, train/y"}},
                 {"few.h5", {"valid/x holds 1 token, but the first of two or more is what"}},
                 {"scaled.h5", {"train/x has attributes scale=0.5, offset=0, but tokens are"}},
                 {"high.h5",
                  {"train/x holds 39 at token 39", "expected tokens: whole numbers from 0 to 38"}}};
    for (const auto &it : cases) {
        open(it.file);
        EXPECT_FALSE(ls_dataset_unroll(data, 6, &error)) << it.file;
        expect_words(error, it.words);
    }
    open("fine.h5");
    EXPECT_FALSE(ls_dataset_unroll(data, 2, &error));
    expect_words(error, {"train/x holds 0.5 at token 1", "expected tokens: whole numbers"});
}

/* It has no rows, but can be evaluated. */
TEST_F(Stream, TokensFewerThanAWindowAreInNoRow)
{
    {
        Writer file(folder / "a.h5");
        file.put<uint8_t>("test/x", {3}, counting<uint8_t>(3));
    }
    open("a.h5");
    ASSERT_TRUE(ls_dataset_unroll(data, 6, &error)) << error.text;
    EXPECT_EQ(ls_dataset_split(data, LS_TEST)->x.rows, 0);
    EXPECT_EQ(ls_dataset_split(data, LS_TEST)->tokens, 3);
    char *text = ls_dataset_describe(data, &error);
    ASSERT_NE(text, nullptr) << error.text;
    ls_free(text);
    Reals found(3);
    EXPECT_TRUE(ls_dataset_read_tokens(data, LS_TEST, 0, 3, found.data(), &error));
    EXPECT_EQ(found, (Reals{0, 1, 2}));
}

TEST_F(Stream, ATokenThatTheNetDoesNotKnowIsNamedWithItsPlace)
{
    {
        Writer file(folder / "a.h5");
        file.put<uint8_t>("train/x", {40}, counting<uint8_t>(40));
    }
    open("a.h5");
    ASSERT_TRUE(ls_dataset_unroll(data, 6, &error)) << error.text;
    ls_dataset_add_vocabulary(data, 39);
    Reals found(4);
    EXPECT_TRUE(ls_dataset_read_tokens(data, LS_TRAIN, 35, 4, found.data(), &error));
    EXPECT_FALSE(ls_dataset_read_tokens(data, LS_TRAIN, 36, 4, found.data(), &error));
    expect_words(error, {"train/x holds 39 at row 39", "whole numbers from 0 to 38"});
}
