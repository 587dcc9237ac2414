/* import: IDX files to data set files, against the raw bytes. */
#include <zlib.h>

#include <algorithm>
#include <stdexcept>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/dataset.h"
#include "io/h5/h5.h"
#include "io/import/import.h"
}

using namespace data_files;

namespace
{

std::string word(unsigned value)
{
    return {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
}

/* Images [n, 2, 3] whose bytes count up from 6 * first, modulo 251. */
std::string images(unsigned n, unsigned first = 0)
{
    std::string bytes = word(0x803) + word(n) + word(2) + word(3);
    for (unsigned i = 0; i < 6 * n; i++)
        bytes += (char)((6 * first + i) % 251);
    return bytes;
}

/* Labels row % classes. */
std::string labels(unsigned n, unsigned classes)
{
    std::string bytes = word(0x801) + word(n);
    for (unsigned i = 0; i < n; i++)
        bytes += (char)(i % classes);
    return bytes;
}

void write_gzip(const std::string &path, const std::string &bytes)
{
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, bytes.data(), (unsigned)bytes.size());
    gzclose(file);
}

std::string read_gzip(const std::string &path)
{
    std::string bytes(1 << 26, 0);
    gzFile file = gzopen(path.c_str(), "rb");
    int got = file ? gzread(file, &bytes[0], (unsigned)bytes.size()) : 0;
    if (file)
        gzclose(file);
    bytes.resize((size_t)std::max(got, 0));
    return bytes;
}

class Import : public testing::Test
{
  protected:
    Import()
    {
        write_file(train_images, images(100));
        write_file(train_labels, labels(100, 7));
        write_file(test_images, images(20, 100));
        write_file(test_labels, labels(20, 7));
        plan.file[0] = train_images.c_str();
        plan.file[1] = train_labels.c_str();
        plan.file[2] = test_images.c_str();
        plan.file[3] = test_labels.c_str();
        plan.output = output.c_str();
    }
    ~Import() override
    {
        ls_dataset_close(data);
    }
    /* Runs the import and opens what it made; returns the report. */
    std::string run()
    {
        char *text = nullptr;
        size_t size = 0;
        FILE *report = open_memstream(&text, &size);
        bool ok = ls_import_idx(&plan, report, &error);
        fclose(report);
        std::string said(text, size);
        free(text);
        ls_dataset_close(data);
        data = ok ? ls_dataset_open(output.c_str(), &error) : nullptr;
        if (!data)
            throw std::runtime_error(error.text);
        return said;
    }
    /* All bytes of a data set as stored. */
    std::vector<uint8_t> raw(const char *path)
    {
        hid_t file = ls_h5_open(output.c_str(), &error);
        hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT), space = H5Dget_space(dataset);
        std::vector<uint8_t> bytes((size_t)H5Sget_simple_extent_npoints(space));
        H5Dread(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
        H5Sclose(space);
        H5Dclose(dataset);
        H5Fclose(file);
        return bytes;
    }
    const ls_split *split(ls_split_id id)
    {
        return ls_dataset_split(data, id);
    }

    Folder folder;
    std::string train_images = folder / "train-x", train_labels = folder / "train-y",
                test_images = folder / "test-x", test_labels = folder / "test-y",
                output = folder / "out.h5";
    ls_import plan = ls_import_presets;
    ls_error error = {};
    ls_dataset *data = nullptr;
};

std::vector<uint8_t> tail(const std::string &bytes, size_t header)
{
    return {bytes.begin() + (long)header, bytes.end()};
}

} /* namespace */

TEST_F(Import, TheFileHoldsTheBytesWithShapeScaleAndClasses)
{
    std::string said = run();
    EXPECT_EQ(raw("train/x"), tail(images(100), 16));
    EXPECT_EQ(raw("train/y"), tail(labels(100, 7), 8));
    EXPECT_EQ(raw("test/x"), tail(images(20, 100), 16));
    EXPECT_EQ(raw("test/y"), tail(labels(20, 7), 8));
    EXPECT_FALSE(split(LS_VALID)->present);
    const ls_array &x = split(LS_TRAIN)->x;
    char text[64];
    EXPECT_STREQ(ls_shape_text(&x.shape, text, sizeof text), "2x3x1");
    EXPECT_EQ(x.type, LS_U8);
    EXPECT_EQ(x.scale, 1.0 / 255);
    EXPECT_EQ(x.offset, 0);
    EXPECT_GE(x.start, 0);
    EXPECT_EQ(split(LS_TEST)->classes, 7);
    EXPECT_NE(said.find("train"), std::string::npos);
    EXPECT_NE(said.find("[100, 2, 3, 1]"), std::string::npos);
    EXPECT_NE(said.find("7 classes"), std::string::npos);
    EXPECT_EQ(said.find("note"), std::string::npos);
    EXPECT_EQ(entries(folder), 5u); /* no temporary file is left */
}

TEST_F(Import, GzipAndPlainGiveTheSameFile)
{
    run();
    std::string plain = read_file(output);
    write_gzip(train_images, images(100));
    write_gzip(test_labels, labels(20, 7));
    plan.force = true;
    run();
    EXPECT_EQ(read_file(output), plain);
}

TEST_F(Import, BlackImagesThatGzipPacksAThousandfoldAreRead)
{
    plan.file[2] = plan.file[3] = nullptr;
    write_gzip(train_images,
               word(0x803) + word(100) + word(1000) + word(1000) + std::string(100000000, 0));
    ASSERT_LT(std::filesystem::file_size(train_images), 100000u);
    run();
    EXPECT_EQ(split(LS_TRAIN)->x.rows, 100);
}

TEST_F(Import, ATrainPairAloneIsEnough)
{
    plan.file[2] = plan.file[3] = nullptr;
    run();
    EXPECT_TRUE(split(LS_TRAIN)->present);
    EXPECT_FALSE(split(LS_TEST)->present);
}

TEST_F(Import, ValidRowsAreSplitOffAndBothKeepTheOrderOfTheFile)
{
    plan.valid = 30;
    run();
    EXPECT_EQ(split(LS_TRAIN)->x.rows, 70);
    EXPECT_EQ(split(LS_VALID)->x.rows, 30);
    std::vector<uint8_t> x = tail(images(100), 16), y = tail(labels(100, 7), 8);
    std::vector<uint8_t> train_x = raw("train/x"), valid_x = raw("valid/x");
    std::vector<uint8_t> train_y = raw("train/y"), valid_y = raw("valid/y");
    size_t train = 0, valid = 0; /* rows met so far: merging the two gives the file again */
    for (size_t row = 0; row < 100; row++) {
        bool in_train = train < 70 && std::equal(&x[6 * row], &x[6 * row] + 6, &train_x[6 * train]);
        size_t &at = in_train ? train : valid;
        ASSERT_LT(valid, 30u + in_train);
        EXPECT_TRUE(
            std::equal(&x[6 * row], &x[6 * row] + 6, &(in_train ? train_x : valid_x)[6 * at]));
        EXPECT_EQ(y[row], (in_train ? train_y : valid_y)[at]);
        at++;
    }
    EXPECT_EQ(split(LS_VALID)->classes, 7);
    std::vector<uint8_t> first_rows(x.begin(), x.begin() + 6 * 30);
    EXPECT_NE(valid_x, first_rows);
}

TEST_F(Import, TheSplitDependsOnTheSeedAlone)
{
    plan.valid = 30;
    plan.force = true;
    run();
    std::vector<uint8_t> first = raw("valid/x");
    run();
    EXPECT_EQ(raw("valid/x"), first);
    plan.seed = 2;
    run();
    EXPECT_NE(raw("valid/x"), first);
}

TEST_F(Import, ClassesCountOverTrainAndTestAndADifferenceIsSaid)
{
    write_file(test_labels, labels(20, 9));
    std::string said = run();
    EXPECT_EQ(split(LS_TRAIN)->classes, 9);
    EXPECT_NE(said.find("the largest label of train is 6, that of test 8"), std::string::npos)
        << said;
}

TEST_F(Import, LabelsFromOneAreAskedAboutAndCounted)
{
    std::string bytes = labels(100, 7);
    for (size_t i = 8; i < bytes.size(); i++)
        bytes[i]++;
    write_file(train_labels, bytes);
    plan.file[2] = nullptr;
    std::string said = run();
    EXPECT_NE(said.find("8 classes, 7 of them of 14 (label 3) to 15 (label 1) rows"),
              std::string::npos)
        << said;
    EXPECT_NE(said.find("no row has label 0; do labels count from 1?"), std::string::npos) << said;
    plan.force = true;
    plan.labels_from = 1;
    said = run();
    EXPECT_EQ(split(LS_TRAIN)->classes, 7);
    EXPECT_EQ(raw("train/y"), tail(labels(100, 7), 8));
    EXPECT_EQ(said.find("note"), std::string::npos) << said;
    plan.labels_from = 2;
    EXPECT_FALSE(ls_import_idx(&plan, nullptr, &error));
    expect_words(error, {"train-y: holds label 1 at row 0", "--labels-from 2"});
}

TEST_F(Import, GapsAreSaidAndOneClassIsRefused)
{
    std::string bytes = labels(100, 7);
    std::replace(bytes.begin() + 8, bytes.end(), char(3), char(200));
    write_file(train_labels, bytes);
    std::string said = run();
    EXPECT_NE(said.find("note: 194 of 201 classes have no row: 3, 7"), std::string::npos) << said;
    write_file(train_labels, labels(100, 1));
    plan.force = true;
    EXPECT_FALSE(ls_import_idx(&plan, nullptr, &error));
    expect_words(error, {"train-y: all 100 row(s) have label 0"});
}

TEST_F(Import, AnOldFileIsOverwrittenOnlyWhenForced)
{
    write_file(output, "precious");
    EXPECT_FALSE(ls_import_idx(&plan, nullptr, &error));
    EXPECT_EQ(error.code, LS_USAGE);
    expect_words(error, {"out.h5", "--force"});
    EXPECT_EQ(read_file(output), "precious");
    plan.force = true;
    run();
    EXPECT_EQ(split(LS_TRAIN)->x.rows, 100);
}

TEST_F(Import, AFolderThatIsNotThereIsSaid)
{
    std::string path = folder / "none/out.h5";
    plan.output = path.c_str();
    EXPECT_FALSE(ls_import_idx(&plan, nullptr, &error));
    EXPECT_EQ(error.code, LS_IO);
    expect_words(error, {"none/out.h5", "its folder is not there: mkdir -p "});
}

TEST_F(Import, BrokenFilesAreRefusedAndNothingIsLeftBehind)
{
    std::string good = images(100), zipped;
    write_gzip(folder / "zipped", good);
    zipped = read_file(folder / "zipped");
    std::filesystem::remove(folder / "zipped");
    std::string flipped = zipped;
    flipped[flipped.size() / 2] ^= 0x10;
    std::string floats = good, wide = good;
    floats[2] = 0x0d;
    wide.replace(8, 8, word(1u << 31) + word(1u << 31));
    const struct {
        const char *name;
        std::string *file, bytes;
        std::vector<std::string> words;
    } broken[] = {
        {"text", &train_images, "hello world", {"train-x: is not an IDX file", "68656c6c"}},
        {"page", &train_images, "<!doctype HTML>", {"train-x: is not an IDX file", "HTML"}},
        {"gzip twice",
         &train_images,
         [&] {
             write_gzip(folder / "again", zipped);
             std::string bytes = read_file(folder / "again");
             std::filesystem::remove(folder / "again");
             return bytes;
         }(),
         {"train-x: is not an IDX file: once unpacked, it is packed by gzip"}},
        {"pickle", &train_labels, "\x80\x04\x95", {"train-y: is not an IDX file", "pickle"}},
        {"empty", &train_images, "", {"train-x: is no IDX file", "0 bytes"}},
        {"labels first",
         &train_images,
         labels(100, 7),
         {"train-x", "1 dimension", "images come before labels"}},
        {"images as labels", &train_labels, good, {"train-y", "3 dimension", "expected labels"}},
        {"floats", &train_images, floats, {"train-x", "float32", "expected images"}},
        {"header cut short",
         &train_images,
         good.substr(0, 10),
         {"train-x: ends within its header"}},
        {"cut short", &train_images, good.substr(0, 400), {"train-x: ends after 0 of 100 rows"}},
        {"one byte short",
         &test_labels,
         labels(20, 7).substr(0, 27),
         {"test-y: ends after 0 of 20 rows"}},
        {"gzip cut short", &train_images, zipped.substr(0, zipped.size() - 40), {"train-x"}},
        {"gzip damaged", &train_images, flipped, {"train-x"}},
        {"too long", &train_images, good + "x", {"train-x: goes on after its 100 rows"}},
        {"no rows", &train_images, images(0), {"train-x: says that it holds 0 rows"}},
        {"absurd sizes",
         &train_images,
         wide,
         {"train-x: says that it holds 100 rows of 2147483648"}},
        {"more than its bytes can hold",
         &train_images,
         [&] {
             std::string bytes = good;
             bytes.replace(8, 8, word(8) + word(50331648));
             return bytes;
         }(),
         {"train-x: says that it holds 100 rows of 8 x 50331648, more than a file of its size "
          "can"}},
        {"fewer labels", &train_labels, labels(99, 7), {"holds 99 labels", "holds 100 images"}},
        {"other size",
         &test_images,
         [] {
             std::string bytes = images(20);
             bytes.replace(8, 8, word(3) + word(2));
             return bytes;
         }(),
         {"test-x: holds images of 3 x 2", "2 x 3"}},
    };
    size_t blocks = ls_memory_blocks();
    for (const auto &it : broken) {
        SCOPED_TRACE(it.name);
        std::string before = read_file(*it.file);
        write_file(*it.file, it.bytes);
        error = {};
        EXPECT_FALSE(ls_import_idx(&plan, nullptr, &error));
        EXPECT_EQ(error.code, LS_DATA);
        expect_words(error, it.words);
        EXPECT_EQ(entries(folder), 4u);
        write_file(*it.file, before);
    }
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST_F(Import, MissingFilesAndTooLargeASplitAreRefused)
{
    plan.valid = 100;
    EXPECT_FALSE(ls_import_idx(&plan, nullptr, &error));
    EXPECT_EQ(error.code, LS_USAGE);
    expect_words(error, {"holds 100 rows", "0 to 99"});
    std::filesystem::remove(test_labels);
    plan.valid = 0;
    EXPECT_FALSE(ls_import_idx(&plan, nullptr, &error));
    EXPECT_EQ(error.code, LS_DATA);
    expect_words(error, {"test-y", "No such file"});
}

TEST_F(Import, FashionMnistComesOutAsItsRawBytes)
{
    const std::string source = "/usr/share/datasets/fashion-mnist/";
    train_images = source + "train-images-idx3-ubyte.gz";
    train_labels = source + "train-labels-idx1-ubyte.gz";
    test_images = source + "t10k-images-idx3-ubyte.gz";
    test_labels = source + "t10k-labels-idx1-ubyte.gz";
    if (!std::filesystem::exists(train_images))
        GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
    plan.file[0] = train_images.c_str();
    plan.file[1] = train_labels.c_str();
    plan.file[2] = test_images.c_str();
    plan.file[3] = test_labels.c_str();
    run();
    EXPECT_EQ(split(LS_TRAIN)->x.rows, 60000);
    EXPECT_EQ(split(LS_TEST)->x.rows, 10000);
    EXPECT_EQ(split(LS_TRAIN)->classes, 10);
    EXPECT_TRUE(raw("train/x") == tail(read_gzip(train_images), 16));
    EXPECT_TRUE(raw("train/y") == tail(read_gzip(train_labels), 8));
    EXPECT_TRUE(raw("test/x") == tail(read_gzip(test_images), 16));
    EXPECT_TRUE(raw("test/y") == tail(read_gzip(test_labels), 8));
}
