/* dataset_check: broken data files, each refused with a message that says what is wrong and where.
 */
#include <unistd.h>

#include <cmath>
#include <functional>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/dataset.h"
}

using namespace data_files;

namespace
{

struct Broken {
    const char *name;
    std::function<void(const std::string &path)> write;
    std::vector<std::string> words;
};

/* A file that `body` fills. */
std::function<void(const std::string &)> with(std::function<void(Writer &)> body)
{
    return [body](const std::string &path) {
        Writer file(path);
        body(file);
    };
}

const Broken broken[] = {
    {"not HDF5",
     [](const std::string &path) { write_file(path, "x,y\n1,2\n"); },
     {"is not an HDF5 file"}},
    {"empty", [](const std::string &path) { write_file(path, ""); }, {"is not an HDF5 file"}},
    {"missing", [](const std::string &) {}, {"No such file"}},
    {"directory",
     [](const std::string &path) { std::filesystem::create_directory(path); },
     {"is a directory"}},
    {"truncated",
     [](const std::string &path) {
         {
             Writer file(path);
             file.put<uint8_t>("train/x", {10, 1000}, std::vector<uint8_t>(10000));
         }
         EXPECT_EQ(truncate(path.c_str(), 6000), 0);
     },
     {"6000 bytes", "cut short"}},
    {"nothing",
     with([](Writer &) {}),
     {"holds no data set", "train, valid or test", "found nothing"}},
    {"other names",
     with([](Writer &file) {
         file.put<uint8_t>("pictures/a", {2}, {1, 2});
     }),
     {"holds no data set", "found pictures"}},
    {"y without x",
     with([](Writer &file) {
         file.put<uint8_t>("train/y", {2}, {1, 2});
     }),
     {"has train/y, but no train/x"}},
    {"twice",
     with([](Writer &file) {
         put_pair(file, "train");
         file.put<uint8_t>("x_train", {2}, {1, 2});
     }),
     {"train/x as well as x_train"}},
    {"x is a group",
     with([](Writer &file) {
         file.put<uint8_t>("train/x/z", {2}, {1, 2});
     }),
     {"train/x is not a data set"}},
    {"soft link",
     with([](Writer &file) {
         put_pair(file, "other");
         put_pair(file, "train");
         H5Ldelete(file.file, "train/x", H5P_DEFAULT);
         H5Lcreate_soft("/other/x", file.file, "train/x", H5P_DEFAULT, H5P_DEFAULT);
     }),
     {"train/x is a soft or external link"}},
    {"dangling external link",
     with([](Writer &file) {
         H5Lcreate_external("/etc/hostname", "/train", file.file, "train", H5P_DEFAULT,
                            H5P_DEFAULT);
     }),
     {"train is a soft or external link"}},
    {"soft link to itself",
     with([](Writer &file) {
         H5Lcreate_soft("/train", file.file, "train", H5P_DEFAULT, H5P_DEFAULT);
     }),
     {"train is a soft or external link"}},
    {"external storage",
     with([](Writer &file) {
         hid_t list = H5Pcreate(H5P_DATASET_CREATE);
         H5Pset_external(list, "/etc/hostname", 0, 4);
         H5Dclose(file.create("train/x", H5T_STD_U8LE, {4}, list));
         H5Pclose(list);
     }),
     {"train/x", "another file"}},
    {"virtual",
     with([](Writer &file) {
         hid_t list = H5Pcreate(H5P_DATASET_CREATE);
         hsize_t dims[] = {4};
         hid_t space = H5Screate_simple(1, dims, nullptr);
         H5Pset_virtual(list, space, "/etc/hostname", "x", space);
         H5Dclose(file.create("train/x", H5T_STD_U8LE, {4}, list));
         H5Sclose(space);
         H5Pclose(list);
     }),
     {"train/x", "another file"}},
    {"unknown filter",
     with([](Writer &file) {
         hid_t list = chunked({2}, 0);
         H5Pset_filter(list, 32000, H5Z_FLAG_OPTIONAL, 0, nullptr);
         file.put<uint8_t>("train/x", {4}, {1, 2, 3, 4}, 0, list);
         H5Pclose(list);
     }),
     {"train/x", "filter 32000", "gzip"}},
    {"texts",
     with([](Writer &file) {
         hid_t type = H5Tcopy(H5T_C_S1);
         H5Tset_size(type, 8);
         H5Dclose(file.create("train/x", type, {4}));
         H5Tclose(type);
     }),
     {"train/x holds texts", "expected uint8"}},
    {"half floats",
     with([](Writer &file) {
         hid_t type = H5Tcopy(H5T_IEEE_F32LE);
         H5Tset_fields(type, 15, 10, 5, 0, 10);
         H5Tset_precision(type, 16);
         H5Tset_size(type, 2);
         H5Dclose(file.create("train/x", type, {4}));
         H5Tclose(type);
     }),
     {"train/x holds 16-bit floats", "float32"}},
    {"uint64",
     with([](Writer &file) { H5Dclose(file.create("train/x", H5T_STD_U64LE, {4})); }),
     {"train/x holds 64-bit unsigned integers"}},
    {"12-bit numbers",
     with([](Writer &file) {
         hid_t type = H5Tcopy(H5T_STD_U16LE);
         H5Tset_precision(type, 12);
         H5Dclose(file.create("train/x", type, {4}));
         H5Tclose(type);
     }),
     {"train/x holds 12-bit unsigned integers"}},
    {"scalar",
     with([](Writer &file) { file.put<uint8_t>("train/x", {}, {1}); }),
     {"train/x is a single value"}},
    {"too many dimensions",
     with([](Writer &file) {
         file.put<uint8_t>("train/x", {2, 1, 1, 1, 1, 1, 1, 1}, {1, 2});
     }),
     {"train/x has 8 dimensions", "at most 6"}},
    {"zero rows",
     with([](Writer &file) {
         file.put<uint8_t>("train/x", {0, 3}, {});
     }),
     {"train/x has 0 rows"}},
    {"empty rows",
     with([](Writer &file) {
         file.put<uint8_t>("train/x", {3, 0}, {});
     }),
     {"train/x has rows of size 0"}},
    {"overflow",
     with([](Writer &file) {
         hid_t list = chunked({1, 1, 1}, 0);
         H5Dclose(file.create("train/x", H5T_STD_U8LE,
                              {(hsize_t)1 << 30, (hsize_t)1 << 20, (hsize_t)1 << 13}, list));
         H5Pclose(list);
     }),
     {"train/x claims a size"}},
    {"never written",
     with([](Writer &file) {
         H5Dclose(file.create("train/x", H5T_STD_U8LE, {(hsize_t)1 << 40, 4}));
     }),
     {"train/x was declared", "never written"}},
    {"chunks missing",
     with([](Writer &file) {
         hid_t list = chunked({2}, 0);
         H5Dclose(file.create("train/x", H5T_STD_U8LE, {(hsize_t)1 << 40}, list));
         H5Pclose(list);
     }),
     {"train/x: 0 of its 549755813888 chunks"}},
    {"x longer than y",
     with([](Writer &file) {
         put_pair(file, "train", 5);
         H5Ldelete(file.file, "train/y", H5P_DEFAULT);
         file.put<uint8_t>("train/y", {4}, {0, 1, 2, 3});
     }),
     {"train/x has 5 rows, but train/y has 4"}},
    {"splits of other shape",
     with([](Writer &file) {
         put_pair(file, "train");
         file.put<uint8_t>("test/x", {2, 3}, counting<uint8_t>(6));
     }),
     {"rows of test/x are 3, but those of train/x are 2"}},
    {"labels here, vectors there",
     with([](Writer &file) {
         put_pair(file, "train");
         file.put<uint8_t>("test/x", {2, 2}, counting<uint8_t>(4));
         file.put<float>("test/y", {2, 2}, {0, 1, 1, 0});
     }),
     {"rows of test/y are 2, but those of train/y are scalar"}},
    {"label too large",
     with([](Writer &file) {
         file.put<uint8_t>("train/x", {600, 1}, std::vector<uint8_t>(600));
         std::vector<uint8_t> labels(600);
         labels[517] = 12;
         file.put<uint8_t>("train/y", {600}, labels);
         file.classes("train/y", 10);
     }),
     {"train/y holds label 12 at row 517", "expected 0 to 9", "classes=10"}},
    {"label too large in the last row of many",
     with([](Writer &file) {
         file.put<uint8_t>("test/x", {9000, 1}, std::vector<uint8_t>(9000));
         std::vector<int64_t> labels(9000);
         labels[8999] = 10;
         file.put<int64_t>("test/y", {9000}, labels);
         file.classes("test/y", 10);
     }),
     {"test/y holds label 10 at row 8999"}},
    {"negative label",
     with([](Writer &file) {
         file.put<uint8_t>("train/x", {2, 1}, {1, 2});
         file.put<int8_t>("train/y", {2}, {3, -1});
     }),
     {"train/y holds label -1 at row 1", "whole numbers from 0"}},
    {"no labels to ignore",
     with([](Writer &file) {
         file.put<uint8_t>("train/x", {2, 1}, {1, 2});
         file.put<float>("train/y", {2}, {3, 1});
         file.attribute("train/y", "ignore", -1);
     }),
     {"train/y has an attribute ignore, but holds no labels"}},
    {"half a label",
     with([](Writer &file) {
         file.put<uint8_t>("train/x", {2, 1}, {1, 2});
         file.put<float>("train/y", {2}, {3, 1.5});
         file.classes("train/y", 10);
     }),
     {"train/y holds label 1.5 at row 1"}},
    {"label that is not a number",
     with([](Writer &file) {
         file.put<uint8_t>("train/x", {2, 1}, {1, 2});
         file.put<float>("train/y", {2}, {NAN, 1});
         file.classes("train/y", 10);
     }),
     {"train/y holds", "nan at row 0"}},
    {"absurd label",
     with([](Writer &file) {
         file.put<uint8_t>("train/x", {2, 1}, {1, 2});
         file.put<int64_t>("train/y", {2}, {0, (int64_t)1 << 40});
     }),
     {"train/y holds label 1.09951163e+12 at row 1"}},
    {"no classes",
     with([](Writer &file) {
         put_pair(file, "train");
         file.classes("train/y", 0);
     }),
     {"train/y", "classes=0", "expected 1 to"}},
    {"classes differ",
     with([](Writer &file) {
         put_pair(file, "train");
         file.classes("train/y", 10);
         put_pair(file, "test");
         file.classes("test/y", 12);
     }),
     {"test/y has attribute classes=12, but train/y has classes=10"}},
    {"scaled labels",
     with([](Writer &file) {
         put_pair(file, "train");
         file.attribute("train/y", "scale", 0.5);
     }),
     {"train/y holds labels", "scale=0.5"}},
    {"scale 0",
     with([](Writer &file) {
         put_pair(file, "train");
         file.attribute("train/x", "scale", 0);
     }),
     {"train/x has attributes scale=0", "scale not 0"}},
    {"offset not finite",
     with([](Writer &file) {
         put_pair(file, "train");
         file.attribute("train/x", "offset", NAN);
     }),
     {"train/x has attributes", "expected finite"}},
};

} /* namespace */

TEST(Intake, BrokenFilesAreRefusedWithAMessageThatNamesFileAndFault)
{
    size_t blocks = ls_memory_blocks();
    for (const Broken &file : broken) {
        SCOPED_TRACE(file.name);
        Folder folder;
        file.write(folder / "broken.h5");
        ls_error error = {};
        EXPECT_EQ(ls_dataset_open((folder / "broken.h5").c_str(), &error), nullptr);
        EXPECT_EQ(error.code, LS_DATA);
        expect_words(error, {"broken.h5"});
        expect_words(error, file.words);
    }
    EXPECT_EQ(ls_memory_blocks(), blocks);
    EXPECT_EQ(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}
