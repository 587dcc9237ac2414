/* dataset: what a good file gives, and what each kind of broken file says. */
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <thread>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/dataset.h"
}

using namespace data_files;

namespace
{

using Rows = std::vector<int64_t>;

struct Dataset {
    explicit Dataset(const std::string &path) : data(ls_dataset_open(path.c_str(), &error))
    {
        if (!data)
            throw std::runtime_error(error.text);
    }
    ~Dataset()
    {
        ls_dataset_close(data);
    }
    std::vector<real> x(const Rows &rows, ls_split_id split = LS_TRAIN)
    {
        const ls_array &array = ls_dataset_split(data, split)->x;
        std::vector<real> out(rows.size() * (size_t)ls_shape_count(&array.shape));
        EXPECT_TRUE(ls_dataset_read(data, split, rows.data(), (long)rows.size(), nullptr,
                                    out.data(), nullptr, &error))
            << error.text;
        return out;
    }
    std::vector<real> y(const Rows &rows, ls_split_id split = LS_TRAIN)
    {
        const ls_array &array = ls_dataset_split(data, split)->y;
        std::vector<real> out(rows.size() * (size_t)ls_shape_count(&array.shape));
        EXPECT_TRUE(ls_dataset_read(data, split, rows.data(), (long)rows.size(), nullptr, nullptr,
                                    out.data(), &error))
            << error.text;
        return out;
    }
    ls_error error = {};
    ls_dataset *data;
};

template <class T> void types_come_back(hid_t little, hid_t big, ls_dtype type)
{
    Folder folder;
    std::vector<T> values = {0, 1, 2, std::numeric_limits<T>::max(), 5, 6, 7, 8};
    values[4] = std::numeric_limits<T>::lowest();
    if (type == LS_F32 || type == LS_F64) {
        values[3] = (T)1.5e30;
        values[4] = (T)-0.1;
    }
    hid_t list = chunked({3, 1}, 4);
    {
        Writer file(folder / "a.h5");
        file.put<T>("train/x", {4, 2}, values, little);
        file.put<T>("valid/x", {4, 2}, values, big);
        file.put<T>("test/x", {4, 2}, values, little, list);
    }
    H5Pclose(list);
    Dataset set(folder / "a.h5");
    EXPECT_GE(ls_dataset_split(set.data, LS_TRAIN)->x.start, 0);
    EXPECT_EQ(ls_dataset_split(set.data, LS_TEST)->x.start, -1);
    for (ls_split_id split : {LS_TRAIN, LS_VALID, LS_TEST}) {
        EXPECT_EQ(ls_dataset_split(set.data, split)->x.type, type);
        std::vector<real> found = set.x({0, 1, 2, 3}, split);
        for (size_t i = 0; i < values.size(); i++)
            EXPECT_EQ(found[i], (real)values[i]) << ls_dtype_name(type) << " split " << split;
    }
}

} /* namespace */

TEST(Dataset, EveryNumberTypeComesBackAsItselfInBothByteOrdersAndCompressed)
{
    types_come_back<uint8_t>(H5T_STD_U8LE, H5T_STD_U8BE, LS_U8);
    types_come_back<int8_t>(H5T_STD_I8LE, H5T_STD_I8BE, LS_I8);
    types_come_back<uint16_t>(H5T_STD_U16LE, H5T_STD_U16BE, LS_U16);
    types_come_back<int16_t>(H5T_STD_I16LE, H5T_STD_I16BE, LS_I16);
    types_come_back<uint32_t>(H5T_STD_U32LE, H5T_STD_U32BE, LS_U32);
    types_come_back<int32_t>(H5T_STD_I32LE, H5T_STD_I32BE, LS_I32);
    types_come_back<int64_t>(H5T_STD_I64LE, H5T_STD_I64BE, LS_I64);
    types_come_back<float>(H5T_IEEE_F32LE, H5T_IEEE_F32BE, LS_F32);
    types_come_back<double>(H5T_IEEE_F64LE, H5T_IEEE_F64BE, LS_F64);
}

TEST(Dataset, RowsComeInTheOrderAskedForScaledAndShifted)
{
    Folder folder;
    const size_t rows = 1000, width = 2 * 3 * 1;
    {
        Writer file(folder / "a.h5");
        file.put<int16_t>("train/x", {rows, 2, 3, 1}, counting<int16_t>(rows * width));
        file.attribute("train/x", "scale", 0.5);
        file.attribute("train/x", "offset", -3);
    }
    Dataset set(folder / "a.h5");
    const ls_array &x = ls_dataset_split(set.data, LS_TRAIN)->x;
    EXPECT_EQ(x.rows, (long)rows);
    EXPECT_EQ(x.shape.rank, 3);
    EXPECT_EQ(x.shape.at[1], 3);
    const Rows order = {999, 0, 1, 2, 500, 500, 3, 998, 999}; /* runs, repetitions, steps back */
    std::vector<real> found = set.x(order);
    for (size_t i = 0; i < order.size(); i++)
        for (size_t k = 0; k < width; k++)
            EXPECT_EQ(found[i * width + k],
                      (real)(0.5 * (double)(order[i] * (long)width + (long)k) - 3));
}

TEST(Dataset, RowsLargerThanTheReadBlockComeWhole)
{
    Folder folder;
    const size_t width = 700000; /* float: 2.8 MB a row */
    std::vector<float> values = counting<float>(3 * width);
    {
        Writer file(folder / "a.h5");
        file.put<float>("train/x", {3, width}, values);
    }
    Dataset set(folder / "a.h5");
    std::vector<real> found = set.x({1, 2});
    for (size_t i = 0; i < 2 * width; i += 9973)
        EXPECT_EQ(found[i], (real)values[width + i]);
    EXPECT_EQ(found.back(), (real)values.back());
}

TEST(Dataset, NamesAtTheRootAreAcceptedToo)
{
    Folder folder;
    {
        Writer file(folder / "a.h5");
        for (const char *split : {"train", "test"}) {
            file.put<uint8_t>(std::string("x_") + split, {4, 2}, counting<uint8_t>(8));
            file.put<uint8_t>(std::string("y_") + split, {4}, counting<uint8_t>(4));
        }
    }
    Dataset set(folder / "a.h5");
    EXPECT_TRUE(ls_dataset_split(set.data, LS_TRAIN)->present);
    EXPECT_FALSE(ls_dataset_split(set.data, LS_VALID)->present);
    EXPECT_TRUE(ls_dataset_split(set.data, LS_TEST)->has_y);
    EXPECT_STREQ(ls_dataset_split(set.data, LS_TEST)->y.path, "y_test");
    EXPECT_EQ(set.y({3, 1}, LS_TEST), (std::vector<real>{3, 1}));
}

TEST(Dataset, SplitsHaveNames)
{
    EXPECT_EQ(ls_split_find("train"), LS_TRAIN);
    EXPECT_EQ(ls_split_find("valid"), LS_VALID);
    EXPECT_EQ(ls_split_find("test"), LS_TEST);
    EXPECT_EQ(ls_split_find("validation"), LS_SPLITS);
    EXPECT_EQ(ls_split_find(nullptr), LS_SPLITS);
}

TEST(Dataset, WholeNumbersAreLabelsAndClassesCountOverAllSplits)
{
    Folder folder;
    {
        Writer file(folder / "a.h5");
        file.put<float>("train/x", {2}, {0, 1});
        file.put<int64_t>("train/y", {2, 1}, {0, 2});
        file.put<float>("test/x", {2}, {0, 1});
        file.put<uint16_t>("test/y", {2}, {6, 1});
    }
    Dataset set(folder / "a.h5");
    for (ls_split_id split : {LS_TRAIN, LS_TEST}) {
        EXPECT_EQ(ls_dataset_split(set.data, split)->y.shape.rank, 0);
        EXPECT_EQ(ls_dataset_split(set.data, split)->classes, 7);
    }
    EXPECT_EQ(ls_dataset_split(set.data, LS_TRAIN)->x.shape.rank, 1);
    EXPECT_EQ(set.y({1, 0}), (std::vector<real>{2, 0}));
}

TEST(Dataset, TheAttributeClassesMakesLabelsOfFloatsAndHoldsForAllSplits)
{
    Folder folder;
    {
        Writer file(folder / "a.h5");
        file.put<float>("train/x", {2, 1}, {0, 1});
        file.put<float>("train/y", {2}, {0, 2});
        file.classes("train/y", 10);
        file.put<float>("test/x", {2, 1}, {0, 1});
        file.put<uint8_t>("test/y", {2}, {9, 1});
    }
    Dataset set(folder / "a.h5");
    EXPECT_EQ(ls_dataset_split(set.data, LS_TRAIN)->classes, 10);
    EXPECT_EQ(ls_dataset_split(set.data, LS_TEST)->classes, 10);
}

TEST(Dataset, OtherTargetsAreForRegression)
{
    Folder folder;
    {
        Writer file(folder / "scalar.h5");
        file.put<uint8_t>("train/x", {2, 3}, counting<uint8_t>(6));
        file.put<double>("train/y", {2}, {0.25, -7});
        file.attribute("train/y", "scale", 2);
        Writer vector(folder / "vector.h5");
        vector.put<uint8_t>("train/x", {2, 3}, counting<uint8_t>(6));
        vector.put<int32_t>("train/y", {2, 2}, {-1, 2, 3, 4});
    }
    Dataset scalar(folder / "scalar.h5"), vector(folder / "vector.h5");
    const ls_split *split = ls_dataset_split(scalar.data, LS_TRAIN);
    EXPECT_EQ(split->classes, 0);
    EXPECT_EQ(split->y.shape.rank, 1);
    EXPECT_EQ(split->y.shape.at[0], 1);
    EXPECT_EQ(scalar.y({1, 0}), (std::vector<real>{-14, 0.5}));
    split = ls_dataset_split(vector.data, LS_TRAIN);
    EXPECT_EQ(split->classes, 0);
    EXPECT_EQ(split->y.shape.at[0], 2);
    EXPECT_EQ(vector.y({1, 0}), (std::vector<real>{3, 4, -1, 2}));
}

TEST(Dataset, ATestSplitAloneIsEnough)
{
    Folder folder;
    {
        Writer file(folder / "a.h5");
        file.put<uint8_t>("test/x", {2, 3}, counting<uint8_t>(6));
    }
    Dataset set(folder / "a.h5");
    EXPECT_FALSE(ls_dataset_split(set.data, LS_TRAIN)->present);
    EXPECT_FALSE(ls_dataset_split(set.data, LS_TEST)->has_y);
    EXPECT_EQ(set.x({1}, LS_TEST), (std::vector<real>{3, 4, 5}));
}

TEST(Dataset, TheShapeDigestSeesNamesShapesAndTypesButNotContentsOrLayout)
{
    Folder folder;
    auto digest = [&](const std::string &split, hsize_t rows, hsize_t width, uint8_t first,
                      hid_t type, hid_t list) {
        {
            Writer file(folder / "a.h5");
            std::vector<uint8_t> values = counting<uint8_t>(rows * width);
            values[0] = first;
            file.put<uint8_t>(split + "/x", {rows, width}, values, type, list);
        }
        return ls_dataset_shape_digest(Dataset(folder / "a.h5").data);
    };
    hid_t list = chunked({2, 2}, 1);
    uint64_t plain = digest("train", 4, 2, 0, H5T_STD_U8LE, H5P_DEFAULT);
    EXPECT_EQ(plain, digest("train", 4, 2, 9, H5T_STD_U8LE, list));
    EXPECT_NE(plain, digest("valid", 4, 2, 0, H5T_STD_U8LE, H5P_DEFAULT));
    EXPECT_NE(plain, digest("train", 2, 4, 0, H5T_STD_U8LE, H5P_DEFAULT));
    EXPECT_NE(plain, digest("train", 4, 2, 0, H5T_STD_I8LE, H5P_DEFAULT));
    H5Pclose(list);
}

static std::string description(const std::string &path)
{
    Dataset set(path);
    char *text = ls_dataset_describe(set.data, &set.error);
    EXPECT_NE(text, nullptr) << set.error.text;
    std::string copy = text ? text : "";
    ls_free(text);
    return copy;
}

TEST(Dataset, TheDescriptionSeesEveryLabelAndSomeRowsButNotTheLayout)
{
    Folder folder;
    const size_t rows = 3000;
    std::vector<float> x = counting<float>(rows * 2), other = x;
    other[2 * rows - 1] = -1;
    std::vector<uint8_t> y(rows, 1), relabelled = y;
    relabelled[1234] = 0;
    hid_t list = chunked({100, 2}, 4);
    auto write = [&](const char *name, std::vector<float> &x, std::vector<uint8_t> &y, hid_t stored,
                     hid_t layout) {
        Writer file(folder / name);
        file.put<float>("train/x", {rows, 2}, x, stored, layout);
        file.put<uint8_t>("train/y", {rows}, y);
        return folder / name;
    };
    std::string plain = description(write("a.h5", x, y, 0, H5P_DEFAULT));
    EXPECT_EQ(plain, description(write("b.h5", x, y, H5T_IEEE_F32BE, list)));
    H5Pclose(list);
    EXPECT_EQ(plain.rfind("train/x rows: 3000 of 2, float32\ntrain/x numbers: digest ", 0), 0u);
    EXPECT_NE(plain.find("\ntrain/y rows: 3000 of one label, uint8\ntrain/y labels: digest "),
              std::string::npos);
    std::string moved = description(write("c.h5", other, y, 0, H5P_DEFAULT));
    std::string renamed = description(write("d.h5", x, relabelled, 0, H5P_DEFAULT));
    size_t labels = plain.find("train/y labels");
    EXPECT_NE(plain, moved);
    EXPECT_EQ(plain.substr(labels), moved.substr(labels));
    EXPECT_EQ(plain.substr(0, labels), renamed.substr(0, labels));
    EXPECT_NE(plain, renamed);
}

TEST(Dataset, BooleansAreZeroAndOne)
{
    Folder folder;
    hid_t type = H5Tenum_create(H5T_NATIVE_INT8), list = chunked({2}, 4);
    const int8_t values[] = {0, 1};
    H5Tenum_insert(type, "FALSE", &values[0]);
    H5Tenum_insert(type, "TRUE", &values[1]);
    const std::vector<int8_t> labels = {1, 0, 0, 1};
    {
        Writer file(folder / "a.h5");
        for (const char *split : {"train", "valid"}) {
            file.put<float>(split + std::string("/x"), {4, 2}, counting<float>(8));
            hid_t y = file.create(split + std::string("/y"), type, {4},
                                  split[0] == 'v' ? list : H5P_DEFAULT);
            EXPECT_GE(H5Dwrite(y, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, labels.data()), 0);
            H5Dclose(y);
        }
    }
    H5Pclose(list);
    H5Tclose(type);
    Dataset set(folder / "a.h5");
    for (ls_split_id split : {LS_TRAIN, LS_VALID}) {
        EXPECT_EQ(ls_dataset_split(set.data, split)->classes, 2);
        EXPECT_EQ(set.y({0, 1, 2, 3}, split), (std::vector<real>{1, 0, 0, 1}));
    }
}

/* How many times this process has called read or pread. */
static long system_reads()
{
    std::ifstream file("/proc/self/io");
    std::string word;
    long number = 0;
    while (file >> word && word != "syscr:")
        ;
    file >> number;
    return number;
}

TEST(Dataset, ChunksAreKeptAsFarAsMemoryIsGiven)
{
    Folder folder;
    const size_t rows = 90000, width = 1024;
    std::vector<uint8_t> values(rows * width);
    for (size_t r = 0; r < rows; r++)
        values[r * width] = (uint8_t)r;
    hid_t list = chunked({7000, 600}, 1);
    {
        Writer file(folder / "a.h5");
        file.put<uint8_t>("train/x", {rows, width}, values, 0, list);
        file.put<uint8_t>("valid/x", {4, width}, values);
    }
    H5Pclose(list);
    Dataset set(folder / "a.h5");
    const ls_array &x = ls_dataset_split(set.data, LS_TRAIN)->x;
    const double mib = 1 << 20, all = 2 * 13 * 7000 * 600;
    char text[512];
    EXPECT_EQ(x.chunk_rows, 7000);
    EXPECT_EQ(x.chunk_bytes, 7000 * 600);
    EXPECT_EQ(x.unpacked, all);
    EXPECT_EQ(ls_dataset_kept(set.data), 64 * mib);
    EXPECT_TRUE(ls_dataset_keep(set.data, LS_TRAIN, 10, &set.error));
    EXPECT_EQ(x.kept, 64 * mib);
    EXPECT_TRUE(ls_dataset_unpacks(set.data, LS_TRAIN, text, sizeof text));
    EXPECT_FALSE(ls_dataset_unpacks(set.data, LS_VALID, text, sizeof text));
    EXPECT_TRUE(ls_dataset_keep(set.data, LS_TRAIN, 1e12, &set.error)) << set.error.text;
    EXPECT_EQ(x.kept, all);
    EXPECT_FALSE(ls_dataset_unpacks(set.data, LS_TRAIN, text, sizeof text));
    Rows order;
    for (long i = 0; i < 200; i++)
        order.push_back(i * 7919 % (long)rows);
    std::vector<real> first = set.x(order);
    long before = system_reads();
    EXPECT_EQ(first, set.x(order)); /* all chunks are unpacked by now */
    EXPECT_LT(system_reads() - before, 10);
    for (size_t i = 0; i < order.size(); i++)
        EXPECT_EQ(first[i * width], (real)(uint8_t)order[i]);
}

static std::string advice(const std::vector<hsize_t> &dims, const std::vector<float> &y)
{
    Folder folder;
    {
        Writer file(folder / "a.h5");
        file.put<float>("train/x", {dims[0], 1}, counting<float>(dims[0]));
        file.put<float>("train/y", dims, y);
    }
    Dataset set(folder / "a.h5");
    char text[512];
    ls_dataset_advise(set.data, LS_TRAIN, text, sizeof text);
    return text;
}

TEST(Dataset, TargetsThatLookLikeLabelsAreNoticedToTheLastRow)
{
    const size_t rows = 2000;
    std::vector<float> y(rows, 1);
    EXPECT_NE(advice({rows}, y).find("train/y holds whole numbers"), std::string::npos);
    EXPECT_NE(advice({rows, 1}, y).find("y.attrs['classes'] = 2"), std::string::npos);
    y[rows - 1] = 7;
    EXPECT_NE(advice({rows, 1}, y).find("y.attrs['classes'] = 8"), std::string::npos);
    for (float other : {0.5f, -1.0f, 3e8f}) {
        y[rows - 1] = other;
        EXPECT_EQ(advice({rows}, y), "") << other;
    }
    std::vector<float> hot(3 * rows, 0);
    for (size_t r = 0; r < rows; r++)
        hot[3 * r + r % 3] = 1;
    EXPECT_NE(advice({rows, 3}, hot).find("y.argmax(1)"), std::string::npos);
    hot.back() = hot[3 * rows - 2] = 1;
    EXPECT_EQ(advice({rows, 3}, hot), "");
}

TEST(Dataset, LabelsThatAreOverwrittenWhileInUseAreNamedWithTheirRow)
{
    Folder folder;
    {
        Writer file(folder / "a.h5");
        file.put<float>("train/x", {4, 2}, counting<float>(8));
        file.put<uint8_t>("train/y", {4}, {0, 2, 1, 2});
    }
    Dataset set(folder / "a.h5");
    const uint8_t label = 3;
    int file = open((folder / "a.h5").c_str(), O_WRONLY);
    ASSERT_EQ(pwrite(file, &label, 1, ls_dataset_split(set.data, LS_TRAIN)->y.start + 2), 1);
    close(file);
    const int64_t rows[] = {1, 2};
    real y[2];
    EXPECT_FALSE(ls_dataset_read(set.data, LS_TRAIN, rows, 2, nullptr, nullptr, y, &set.error));
    EXPECT_EQ(set.error.code, LS_DATA);
    expect_words(set.error, {"a.h5: train/y holds label 3 at row 2, but all were from 0 to 2 when "
                             "the file was opened: it was written to while in use"});
    EXPECT_TRUE(ls_dataset_read(set.data, LS_TRAIN, rows, 1, nullptr, nullptr, y, &set.error));
}

TEST(Dataset, SeveralThreadsReadAtOnce)
{
    Folder folder;
    hid_t list = chunked({7, 5}, 1);
    {
        Writer file(folder / "a.h5");
        file.put<int32_t>("train/x", {300, 5}, counting<int32_t>(1500));
        file.put<int32_t>("valid/x", {300, 5}, counting<int32_t>(1500), 0, list);
    }
    H5Pclose(list);
    Dataset set(folder / "a.h5");
    std::vector<int> wrong(4);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([&, t] {
            ls_split_id split = t % 2 ? LS_VALID : LS_TRAIN;
            for (int64_t i = t; i < 300; i += 3) {
                int64_t rows[2] = {i, 299 - i};
                real x[10];
                wrong[(size_t)t] +=
                    !ls_dataset_read(set.data, split, rows, 2, nullptr, x, nullptr, nullptr);
                wrong[(size_t)t] += x[4] != (real)(i * 5 + 4) || x[5] != (real)((299 - i) * 5);
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(Dataset, StaysTheSameWhenAnotherFileTakesOverTheName)
{
    Folder folder;
    {
        Writer old(folder / "a.h5"), next(folder / "b.h5");
        old.put<uint8_t>("train/x", {2, 1}, {1, 2});
        next.put<uint8_t>("train/x", {2, 1}, {3, 4});
    }
    Dataset set(folder / "a.h5");
    std::filesystem::rename(folder / "b.h5", folder / "a.h5");
    EXPECT_EQ(set.x({0, 1}), (std::vector<real>{1, 2}));
}

TEST(Dataset, TheSameFileMayBeOpenTwiceAndClosedOnce)
{
    Folder folder;
    hid_t list = chunked({2, 1}, 1);
    {
        Writer file(folder / "a.h5");
        file.put<uint8_t>("train/x", {4, 1}, {1, 2, 3, 4}, 0, list);
    }
    H5Pclose(list);
    Dataset set(folder / "a.h5");
    {
        Dataset other(folder / "a.h5");
        EXPECT_EQ(other.x({3}), (std::vector<real>{4}));
    }
    EXPECT_EQ(set.x({0, 3}), (std::vector<real>{1, 4}));
}

TEST(Dataset, NotANumberAndInfinityAreRefusedWithTheirRow)
{
    Folder folder;
    std::vector<float> values = counting<float>(4000);
    values[2 * 517 + 1] = NAN;
    values[2 * 600] = INFINITY;
    hid_t list = chunked({100, 2}, 0);
    {
        Writer file(folder / "a.h5");
        file.put<float>("train/x", {2000, 2}, values);
        file.put<float>("train/y", {2000, 2}, values, 0, list);
    }
    H5Pclose(list);
    Dataset set(folder / "a.h5");
    Rows rows = counting<int64_t>(2000);
    std::vector<real> out(4000);
    ls_error error = {};
    EXPECT_FALSE(ls_dataset_read(set.data, LS_TRAIN, rows.data(), 2000, nullptr, out.data(),
                                 nullptr, &error));
    EXPECT_EQ(error.code, LS_DATA);
    expect_words(error, {"a.h5: train/x holds", "nan at row 517", "expected finite"});
    EXPECT_FALSE(
        ls_dataset_read(set.data, LS_TRAIN, &rows[600], 1, nullptr, nullptr, out.data(), &error));
    expect_words(error, {"train/y holds inf at row 600"});
    EXPECT_TRUE(ls_dataset_read(set.data, LS_TRAIN, &rows[601], 1399, nullptr, out.data(), nullptr,
                                &error));
}

TEST(Dataset, AFileThatIsCutShortWhileInUseIsAnErrorAndNoCrash)
{
    Folder folder;
    {
        Writer file(folder / "a.h5");
        file.put<uint8_t>("train/x", {10, 1000}, std::vector<uint8_t>(10000));
    }
    Dataset set(folder / "a.h5");
    long start = ls_dataset_split(set.data, LS_TRAIN)->x.start;
    ASSERT_EQ(truncate((folder / "a.h5").c_str(), start + 4500), 0);
    int64_t rows[] = {3, 4};
    std::vector<real> x(2000);
    ls_error error = {};
    EXPECT_FALSE(ls_dataset_read(set.data, LS_TRAIN, rows, 2, nullptr, x.data(), nullptr, &error));
    EXPECT_EQ(error.code, LS_IO);
    expect_words(error, {"a.h5", "train/x", "cut short"});
}

TEST(Dataset, RowsInMemoryAreReadAsThoseOfAFile)
{
    const real x[] = {1, 2, 3, 4, 5, 6}, y[] = {0, 1, 2};
    ls_error error = {};
    ls_dataset_rows splits[LS_SPLITS] = {};
    splits[LS_TRAIN] = {3, x, y, {1, {2}}, {}, 0, nullptr, nullptr};
    ls_dataset *data = ls_dataset_open_rows("numbers", splits, &error);
    ASSERT_NE(data, nullptr) << error.text;
    EXPECT_STREQ(ls_dataset_path(data), "numbers");
    EXPECT_FALSE(ls_dataset_split(data, LS_VALID)->present);
    EXPECT_EQ(ls_dataset_split(data, LS_TRAIN)->classes, 3); /* the largest label + 1 */
    const Rows rows = {2, 0};
    real read_x[4], read_y[2];
    ASSERT_TRUE(ls_dataset_read(data, LS_TRAIN, rows.data(), 2, nullptr, read_x, read_y, &error));
    EXPECT_EQ(std::vector<real>(read_x, read_x + 4), (std::vector<real>{5, 6, 1, 2}));
    EXPECT_EQ(std::vector<real>(read_y, read_y + 2), (std::vector<real>{2, 0}));
    ls_dataset_close(data);
}

TEST(Dataset, BytesInMemoryAreParts0To1)
{
    const uint8_t bytes[] = {0, 255, 51, 102};
    ls_error error = {};
    ls_dataset_rows splits[LS_SPLITS] = {};
    splits[LS_TRAIN] = {2, nullptr, nullptr, {1, {2}}, {}, 0, bytes, nullptr};
    ls_dataset *data = ls_dataset_open_rows("pictures", splits, &error);
    ASSERT_NE(data, nullptr) << error.text;
    const Rows rows = {1, 0};
    real x[4];
    ASSERT_TRUE(ls_dataset_read(data, LS_TRAIN, rows.data(), 2, nullptr, x, nullptr, &error));
    const double expected[] = {0.2, 0.4, 0, 1};
    for (int i = 0; i < 4; i++)
        EXPECT_NEAR(x[i], expected[i], 1e-6);
    ls_dataset_close(data);
}

TEST(Dataset, RowsInMemoryAreChecked)
{
    const real x[] = {1, NAN, 3, 4}, y[] = {0, 1.5};
    ls_error error = {};
    ls_dataset_rows splits[LS_SPLITS] = {};
    splits[LS_TRAIN] = {2, x, y, {1, {2}}, {}, 2, nullptr, nullptr};
    EXPECT_EQ(ls_dataset_open_rows("numbers", splits, &error), nullptr);
    EXPECT_STREQ(error.text, "numbers: train/y holds label 1.5 at row 1; expected whole numbers "
                             "from 0 to 1");
    splits[LS_TRAIN].y = nullptr;
    ls_dataset *data = ls_dataset_open_rows("numbers", splits, &error);
    ASSERT_NE(data, nullptr) << error.text;
    const Rows rows = {0};
    real read[2];
    EXPECT_FALSE(ls_dataset_read(data, LS_TRAIN, rows.data(), 1, nullptr, read, nullptr, &error));
    EXPECT_NE(std::string(error.text).find("train/x holds nan at row 0"), std::string::npos)
        << error.text;
    ls_dataset_close(data);
}

static bool is_whole(double target)
{
    return target == std::floor(target);
}

TEST(Dataset, TargetsThatDoNotFitARuleAreRefusedWithValueAndRow)
{
    const real x[] = {1, 2, 3, 4}, y[] = {0, 1, 2, (real)2.5, 4, 5, 6, 7};
    ls_dataset_rows splits[LS_SPLITS] = {};
    splits[LS_TRAIN].rows = 4;
    splits[LS_TRAIN].x = x;
    splits[LS_TRAIN].y = y;
    splits[LS_TRAIN].x_shape = {1, {1}};
    splits[LS_TRAIN].y_shape = {1, {2}};
    ls_error error = {};
    ls_dataset *data = ls_dataset_open_rows("numbers", splits, &error);
    ASSERT_NE(data, nullptr) << error.text;
    const ls_target_rule rule = {is_whole, "whole takes whole numbers", false};
    const Rows good = {0, 3, 2}, bad = {3, 1};
    real read[6];
    EXPECT_TRUE(ls_dataset_read(data, LS_TRAIN, bad.data(), 2, nullptr, nullptr, read, &error));
    ls_dataset_add_rule(data, &rule);
    ls_dataset_add_rule(data, &rule);
    EXPECT_TRUE(ls_dataset_read(data, LS_TRAIN, good.data(), 3, nullptr, nullptr, read, &error));
    EXPECT_FALSE(ls_dataset_read(data, LS_TRAIN, bad.data(), 2, nullptr, nullptr, read, &error));
    EXPECT_EQ(error.code, LS_DATA);
    EXPECT_STREQ(error.text, "numbers: train/y holds 2.5 at row 1, but the loss whole takes whole "
                             "numbers");
    ls_dataset_close(data);
}

static bool is_probability(double x)
{
    return x >= 0 && x <= 1;
}

TEST(Dataset, NumbersOfXThatDoNotFitARuleAreRefusedAsTransformed)
{
    std::vector<real> x(4 * 70, (real)0.5); /* longer than a vector of any processor */
    ls_dataset_rows splits[LS_SPLITS] = {};
    splits[LS_TRAIN].rows = 4;
    splits[LS_TRAIN].x = x.data();
    splits[LS_TRAIN].x_shape = {3, {70, 1, 1}};
    ls_error error = {};
    ls_dataset *data = ls_dataset_open_rows("numbers", splits, &error);
    ASSERT_NE(data, nullptr) << error.text;
    const ls_target_rule rule = {is_probability, "this takes probabilities", false};
    const Rows rows = {0, 3, 2, 1};
    real read[4 * 70];
    ls_dataset_add_x_rule(data, &rule);
    ls_dataset_add_x_rule(data, &rule);
    for (int at = 0; at < 70; at++)
        for (double bad : {-0.25, 1.25}) {
            x[3 * 70 + at] = (real)bad;
            EXPECT_TRUE(
                ls_dataset_read(data, LS_TRAIN, rows.data(), 1, nullptr, read, nullptr, &error));
            EXPECT_FALSE(
                ls_dataset_read(data, LS_TRAIN, rows.data(), 4, nullptr, read, nullptr, &error))
                << at;
            EXPECT_EQ(error.code, LS_DATA);
            EXPECT_EQ(std::string(error.text), std::string("numbers: train/x holds ") +
                                                   (bad < 0 ? "-0.25" : "1.25") +
                                                   " at row 3, but this takes probabilities");
            x[3 * 70 + at] = (real)0.5;
        }
    EXPECT_TRUE(ls_dataset_read(data, LS_TRAIN, rows.data(), 4, nullptr, read, nullptr, &error));
    ASSERT_TRUE(ls_dataset_transform(data, "normalize mean=1 deviation=0.5", &error)) << error.text;
    EXPECT_FALSE(ls_dataset_read(data, LS_TRAIN, rows.data(), 1, nullptr, read, nullptr, &error));
    EXPECT_STREQ(error.text, "numbers: train/x holds -1 at row 0 as transformed, but this takes "
                             "probabilities");
    ls_dataset_close(data);
}

TEST(Dataset, TargetsOfSeveralNumbersAreLabelsOfStepsWhereClassesAreGiven)
{
    Folder folder;
    for (long classes : {4, 3}) {
        Writer file(folder / (std::to_string(classes) + ".h5"));
        file.put<uint8_t>("train/x", {3, 2}, counting<uint8_t>(6));
        file.put<uint8_t>("train/y", {3, 2}, {1, 0, 2, 2, 0, 1});
        file.classes("train/y", classes);
        file.put<uint8_t>("test/x", {1, 2}, {0, 1});
        file.put<uint8_t>("test/y", {1, 2}, {2, 3});
    }
    Dataset set(folder / "4.h5");
    const ls_split *train = ls_dataset_split(set.data, LS_TRAIN);
    EXPECT_TRUE(train->labelled);
    EXPECT_EQ(train->classes, 4);
    EXPECT_EQ(train->y.shape.rank, 1);
    EXPECT_NE(train->labels, 0u);
    EXPECT_EQ(ls_dataset_split(set.data, LS_TEST)->classes, 4);
    EXPECT_EQ(set.y({2, 0}), (std::vector<real>{0, 1, 1, 0}));
    ls_error error = {};
    EXPECT_EQ(ls_dataset_open((folder / "3.h5").c_str(), &error), nullptr);
    EXPECT_EQ(error.code, LS_DATA);
    expect_words(error, {"3.h5: test/y holds label 3 at row 0, step 1; expected 0 to 2"});
}

TEST(Dataset, WhatIsNoTokenIsRefusedWithRowAndStep)
{
    std::vector<real> x = {0, 1, 2, 6, 5, 4};
    ls_dataset_rows splits[LS_SPLITS] = {};
    splits[LS_TRAIN].rows = 2;
    splits[LS_TRAIN].x = x.data();
    splits[LS_TRAIN].x_shape = {1, {3}};
    ls_error error = {};
    ls_dataset *data = ls_dataset_open_rows("numbers", splits, &error);
    ASSERT_NE(data, nullptr) << error.text;
    const Rows rows = {0, 1};
    real read[6];
    auto reads = [&](long n) {
        return ls_dataset_read(data, LS_TRAIN, rows.data(), n, nullptr, read, nullptr, &error);
    };
    ls_dataset_add_vocabulary(data, 7);
    ls_dataset_add_vocabulary(data, 9);
    EXPECT_TRUE(reads(2)) << error.text;
    for (double bad : {7.0, -1.0, 1.5}) {
        x[4] = (real)bad;
        EXPECT_TRUE(reads(1));
        EXPECT_FALSE(reads(2));
        EXPECT_EQ(error.code, LS_DATA);
        EXPECT_NE(std::string(error.text)
                      .find(" at row 1, step 1, but the net takes tokens: whole "
                            "numbers from 0 to 6 (vocabulary=7)"),
                  std::string::npos)
            << error.text;
    }
    ls_dataset_close(data);
}
