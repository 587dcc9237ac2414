/* import cifar: records of CIFAR-10 and CIFAR-100 become rows, channels last, with names of
 * classes. */
#include <filesystem>

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

class ImportCifar : public testing::Test
{
  protected:
    ImportCifar()
    {
        plan.file[0] = folder.root.c_str();
        plan.output = output.c_str();
        plan.force = true;
    }
    /* Records: byte k of the picture of row i is 7 i + k; the labels come first. */
    void write(const char *name, const std::vector<std::string> &labels)
    {
        std::string bytes;
        for (size_t i = 0; i < labels.size(); i++) {
            bytes += labels[i];
            for (size_t k = 0; k < 3072; k++)
                bytes += char(7 * i + k);
        }
        write_file(folder / name, bytes);
    }
    /* The batches 2 to 5, of one row each, which is of class 3 to 6. */
    void write_others()
    {
        for (int i = 2; i <= 5; i++)
            write(("data_batch_" + std::to_string(i) + ".bin").c_str(),
                  {std::string(1, char(i + 1))});
    }
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
    std::string names()
    {
        hid_t file = ls_h5_open(output.c_str(), &error);
        hid_t y = H5Dopen2(file, "train/y", H5P_DEFAULT);
        char *text = nullptr;
        bool there = false;
        ls_h5_get_text(y, "class_names", &text, &there, &error);
        std::string all = there ? text : "";
        ls_free(text);
        H5Dclose(y);
        H5Fclose(file);
        return all;
    }
    void expect_refused(int code, const std::vector<std::string> &words)
    {
        EXPECT_FALSE(ls_import_cifar(&plan, nullptr, &error));
        EXPECT_EQ(error.code, code);
        expect_words(error, words);
    }

    Folder folder;
    std::string output = folder / "out.h5";
    ls_import plan = ls_import_presets;
    ls_error error = {};
};

} /* namespace */

TEST_F(ImportCifar, TenIsFiveFilesAndATest)
{
    write("data_batch_1.bin", {"\1", "\2"});
    write_others();
    write("test_batch.bin", {"\7"});
    write_file(folder / "batches.meta.txt", "a\nb\nc\nd\ne\r\nf\ng\nh\ni\nj\n\n");
    ASSERT_TRUE(ls_import_cifar(&plan, nullptr, &error)) << error.text;
    EXPECT_EQ(raw("train/y"), (std::vector<uint8_t>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(raw("test/y"), (std::vector<uint8_t>{7}));
    EXPECT_EQ(names(), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj");
    std::vector<uint8_t> x = raw("train/x");
    ASSERT_EQ(x.size(), size_t(6 * 3072));
    for (size_t p = 0; p < 1024; p++)
        for (size_t c = 0; c < 3; c++)
            EXPECT_EQ(x[3072 + 3 * p + c], uint8_t(7 + c * 1024 + p));
    plan.valid = 1;
    ASSERT_TRUE(ls_import_cifar(&plan, nullptr, &error)) << error.text;
    EXPECT_EQ(raw("train/y").size(), size_t(5));
    EXPECT_EQ(raw("valid/y").size(), size_t(1));
}

TEST_F(ImportCifar, ManyRowsComeInTheirOrder)
{
    std::vector<std::string> labels;
    std::vector<uint8_t> wanted[2];
    plan.valid = 70;
    for (int i = 0; i < 700; i++) {
        labels.push_back({'\0', char(i % 100)});
        wanted[ls_import_in_valid(&plan, 700, i)].push_back(uint8_t(i % 100));
    }
    write("train.bin", labels);
    ASSERT_TRUE(ls_import_cifar(&plan, nullptr, &error)) << error.text;
    EXPECT_EQ(raw("train/y"), wanted[0]);
    EXPECT_EQ(raw("valid/y"), wanted[1]);
    std::vector<uint8_t> x = raw("valid/x");
    ASSERT_EQ(x.size(), size_t(70 * 3072));
    size_t i = 0;
    for (long row = 0; row < 700; row++)
        if (ls_import_in_valid(&plan, 700, row)) {
            EXPECT_EQ(x[3072 * i + 1], uint8_t(7 * row + 1024)) << row;
            i++;
        }
}

TEST_F(ImportCifar, AHundredHasFineAndCoarseClasses)
{
    write("train.bin", {"\1\x63", std::string("\0\5", 2)});
    ASSERT_TRUE(ls_import_cifar(&plan, nullptr, &error)) << error.text;
    EXPECT_EQ(raw("train/y"), (std::vector<uint8_t>{99, 5}));
    EXPECT_EQ(names(), "");
    plan.coarse = true;
    ASSERT_TRUE(ls_import_cifar(&plan, nullptr, &error)) << error.text;
    EXPECT_EQ(raw("train/y"), (std::vector<uint8_t>{1, 0}));
}

TEST_F(ImportCifar, RefusesWhatIsNoCifar)
{
    expect_refused(LS_DATA, {"holds neither data_batch_1.bin (CIFAR-10) nor train.bin"});
    write("data_batch_1.bin", {"\1", "\12"});
    write_others();
    std::filesystem::remove(folder / "data_batch_3.bin");
    expect_refused(LS_DATA, {"has no data_batch_3.bin; expected all 5"});
    write_others();
    expect_refused(LS_DATA, {"data_batch_1.bin: holds label 10 at row 1; expected 0 to 9"});
    write_file(folder / "data_batch_1.bin", std::string(3074, '\1'));
    expect_refused(LS_DATA, {"has 3074 bytes; expected records of 3073 bytes"});
    write("data_batch_1.bin", {"\1"});
    plan.coarse = true;
    expect_refused(LS_USAGE, {"holds CIFAR-10; --coarse is for CIFAR-100"});
    plan.coarse = false;
    plan.valid = 5;
    expect_refused(LS_USAGE, {"holds 5 rows, 5 can't be split off"});
}
