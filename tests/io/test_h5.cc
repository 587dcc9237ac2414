/* h5: round trips, refusals, and files in memory. */
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <tuple>
#include <unistd.h>
#include <vector>

#include "folder.h"
#include "full_disk.h"
extern "C" {
#include "core/memory.h"
#include "io/h5/h5.h"
#include "io/h5/h5_copy.h"
#include "io/h5/h5_frame.h"
#include "io/output.h"
#include "io/rowfile.h"
}

namespace
{
const hsize_t two_by_three[] = {2, 3};
const float six[] = {1, 2, 3, 4, 5, 6};

/* An empty HDF5 file; the caller closes it. */
hid_t new_file(const std::string &path)
{
    ls_error error = {};
    int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0666);
    hid_t file = ls_h5_create(path.c_str(), descriptor, &error);
    EXPECT_GE(file, 0) << error.text;
    close(descriptor);
    return file;
}

/* A file with a/b [2, 3]; the caller closes it. */
hid_t small_file(const std::string &path)
{
    ls_error error = {};
    hid_t file = new_file(path);
    EXPECT_TRUE(
        ls_h5_write(file, "a/b", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, two_by_three, six, &error))
        << error.text;
    return file;
}

const hsize_t large[] = {20000}, small[] = {3};

/* A file with a text attribute and arrays of 0.5, made in memory. */
std::string image_bytes()
{
    ls_error error = {};
    ls_h5_frame frame;
    size_t offset[3];
    hid_t file = ls_h5_frame_create("image", &frame, &error);
    EXPECT_GE(file, 0) << error.text;
    EXPECT_TRUE(ls_h5_put_text(file, "job", "model: lenet\n", &error));
    EXPECT_TRUE(ls_h5_frame_place(file, "x/y/z", 1, large, &offset[0], &error)) << error.text;
    EXPECT_TRUE(ls_h5_frame_place(file, "x/bias", 1, small, &offset[1], &error)) << error.text;
    EXPECT_TRUE(ls_h5_frame_place(file, "scalar", 0, nullptr, &offset[2], &error)) << error.text;
    EXPECT_TRUE(ls_h5_frame_finish(file, &frame, &error)) << error.text;
    std::string bytes(frame.size, 0);
    EXPECT_TRUE(ls_h5_frame_read(&frame, "image", 0, frame.size, bytes.data(), &error));
    const std::vector<real> numbers(large[0], real(0.5));
    const size_t counts[] = {large[0], small[0], 1};
    for (int i = 0; i < 3; i++)
        memcpy(&bytes[offset[i]], numbers.data(), counts[i] * sizeof(real));
    ls_h5_frame_release(&frame);
    return bytes;
}
} /* namespace */

TEST(H5, ReadsBackWhatItWroteInAnotherType)
{
    Folder folder;
    H5Fclose(small_file(folder / "f.h5"));
    ls_error error = {};
    hid_t file = ls_h5_open((folder / "f.h5").c_str(), &error);
    ASSERT_GE(file, 0) << error.text;
    double found[6] = {};
    EXPECT_TRUE(ls_h5_read(file, "a/b", H5T_NATIVE_DOUBLE, 2, two_by_three, found, &error));
    for (int i = 0; i < 6; i++)
        EXPECT_EQ(found[i], six[i]);
    H5Fclose(file);
}

TEST(H5, KeepsScalarsAndArraysWithoutRows)
{
    Folder folder;
    ls_error error = {};
    hid_t file = new_file(folder / "f.h5");
    const hsize_t none[] = {0, 3};
    double value = 2.5, found = 0;
    EXPECT_TRUE(
        ls_h5_write(file, "s", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 0, nullptr, &value, &error));
    EXPECT_TRUE(ls_h5_write(file, "n", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, none, &value, &error));
    EXPECT_TRUE(ls_h5_read(file, "s", H5T_NATIVE_DOUBLE, 0, nullptr, &found, &error)) << error.text;
    EXPECT_TRUE(ls_h5_read(file, "n", H5T_NATIVE_DOUBLE, 2, none, nullptr, &error)) << error.text;
    EXPECT_EQ(found, 2.5);
    H5Fclose(file);
}

TEST(H5, NamesBothShapesWhereTheyDiffer)
{
    Folder folder;
    hid_t file = small_file(folder / "f.h5");
    ls_error error = {};
    const hsize_t other[] = {3, 2};
    float found[6];
    EXPECT_FALSE(ls_h5_read(file, "a/b", H5T_NATIVE_FLOAT, 2, other, found, &error));
    EXPECT_TRUE(has(error, "f.h5")) << error.text;
    EXPECT_TRUE(has(error, "a/b has shape [2, 3]; expected [3, 2]")) << error.text;
    EXPECT_EQ(error.code, LS_DATA);
    EXPECT_FALSE(ls_h5_read(file, "a/b", H5T_NATIVE_FLOAT, 0, nullptr, found, &error));
    H5Fclose(file);
}

TEST(H5, NamesWhatIsMissing)
{
    Folder folder;
    hid_t file = small_file(folder / "f.h5");
    ls_error error = {};
    float found[6];
    EXPECT_FALSE(ls_h5_read(file, "a/c", H5T_NATIVE_FLOAT, 2, two_by_three, found, &error));
    EXPECT_TRUE(has(error, "has no a/c")) << error.text;
    EXPECT_FALSE(ls_h5_read(file, "q/c", H5T_NATIVE_FLOAT, 2, two_by_three, found, &error));
    EXPECT_TRUE(has(error, "has no q")) << error.text;
    EXPECT_FALSE(ls_h5_read(file, "a", H5T_NATIVE_FLOAT, 2, two_by_three, found, &error));
    EXPECT_TRUE(has(error, "a is not a data set")) << error.text;
    H5Fclose(file);
}

TEST(H5, RefusesLinksThatLeadElsewhere)
{
    Folder folder;
    H5Fclose(small_file(folder / "other.h5"));
    hid_t file = small_file(folder / "f.h5");
    H5Lcreate_soft("/a/b", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/a", file, "way", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/a/b", file, "external", H5P_DEFAULT, H5P_DEFAULT);
    float found[6];
    for (const char *path : {"soft", "way/b", "external"}) {
        ls_error error = {};
        EXPECT_FALSE(ls_h5_read(file, path, H5T_NATIVE_FLOAT, 2, two_by_three, found, &error));
        EXPECT_TRUE(has(error, "soft or external link")) << path << ": " << error.text;
    }
    H5Fclose(file);
}

TEST(H5, RefusesNumbersThatLieInAnotherFile)
{
    Folder folder;
    write_file(folder / "raw", std::string(24, '\0'));
    hid_t file = small_file(folder / "f.h5");
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, two_by_three, nullptr);
    H5Pset_external(list, (folder / "raw").c_str(), 0, 24);
    hid_t set = H5Dcreate2(file, "outside", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    ASSERT_GE(set, 0);
    H5Dclose(set);
    float found[6];
    ls_error error = {};
    EXPECT_FALSE(ls_h5_read(file, "outside", H5T_NATIVE_FLOAT, 2, two_by_three, found, &error));
    EXPECT_TRUE(has(error, "in another file")) << error.text;
    H5Pclose(list);
    H5Sclose(space);
    H5Fclose(file);
}

TEST(H5, AttributesComeBackAndAreReplaced)
{
    Folder folder;
    hid_t file = small_file(folder / "f.h5");
    ls_error error = {};
    std::string job(100000, 'x'); /* more than an attribute's 64 KB */
    const long three[] = {1, -2, 3};
    EXPECT_TRUE(ls_h5_put_text(file, "job", "short", &error));
    EXPECT_TRUE(ls_h5_put_text(file, "job", job.c_str(), &error)) << error.text;
    EXPECT_TRUE(ls_h5_put_long(file, "n", -5000000000L, &error));
    EXPECT_TRUE(ls_h5_put_numbers(file, "three", H5T_NATIVE_LONG, 3, three, &error));
    EXPECT_TRUE(ls_h5_put_double(file, "d", 0.1, &error));
    char *text = nullptr;
    long n = 0, read[3] = {};
    double d = 0;
    bool present = false;
    EXPECT_TRUE(ls_h5_get_text(file, "job", &text, &present, &error)) << error.text;
    EXPECT_EQ(job, text);
    EXPECT_TRUE(ls_h5_get_long(file, "n", &n, &present, &error));
    EXPECT_EQ(n, -5000000000L);
    EXPECT_TRUE(ls_h5_get_numbers(file, "three", H5T_NATIVE_LONG, 3, read, &present, &error));
    EXPECT_EQ(read[1], -2);
    EXPECT_TRUE(ls_h5_get_double(file, "d", &d, &present, &error));
    EXPECT_EQ(d, 0.1);
    EXPECT_TRUE(ls_h5_get_double(file, "n", &d, &present, &error)); /* a whole number is a number */
    EXPECT_EQ(d, -5e9);
    ls_free(text);
    H5Fclose(file);
}

/* A reference is an address in its file: in another it would lead to whatever lies there. */
TEST(H5, CopiesAttributesOfNamedTypesButNoReferences)
{
    Folder folder;
    ls_error error = {};
    hid_t source = small_file(folder / "f.h5"), target = new_file(folder / "to.h5"), back;
    hid_t from = H5Dopen2(source, "a/b", H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
    hid_t named = H5Tcopy(H5T_NATIVE_INT), list = H5Tvlen_create(H5T_STD_REF_OBJ);
    EXPECT_GE(H5Tcommit2(source, "int", named, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), 0);
    hobj_ref_t reference;
    hvl_t references = {1, &reference};
    int seven = 7;
    H5Rcreate(&reference, source, "a", H5R_OBJECT, -1);
    hid_t one = H5Acreate2(from, "one", H5T_STD_REF_OBJ, space, H5P_DEFAULT, H5P_DEFAULT),
          many = H5Acreate2(from, "many", list, space, H5P_DEFAULT, H5P_DEFAULT),
          plain = H5Acreate2(from, "plain", named, space, H5P_DEFAULT, H5P_DEFAULT);
    EXPECT_GE(H5Awrite(one, H5T_STD_REF_OBJ, &reference), 0);
    EXPECT_GE(H5Awrite(many, list, &references), 0);
    EXPECT_GE(H5Awrite(plain, H5T_NATIVE_INT, &seven), 0);
    EXPECT_TRUE(ls_h5_copy_dataset(source, "a/b", target, "b", &error)) << error.text;
    EXPECT_TRUE(ls_h5_close_written(source, &error)) << error.text;
    EXPECT_TRUE(ls_h5_close_written(target, &error)) << error.text;
    H5Tclose(list);
    H5Sclose(space);

    back = ls_h5_open((folder / "to.h5").c_str(), &error);
    hid_t copy = ls_h5_dataset(back, "b", &error);
    long number = 0;
    bool present;
    EXPECT_TRUE(ls_h5_get_long(copy, "plain", &number, &present, &error)) << error.text;
    EXPECT_EQ(number, 7);
    EXPECT_EQ(H5Aexists(copy, "one"), 0);
    EXPECT_EQ(H5Aexists(copy, "many"), 0);
    H5Fclose(back);
}

TEST(H5, DamageToWhatIsCopiedIsToldAsThatWithItsRow)
{
    Folder folder;
    ls_error error = {};
    hsize_t dims[] = {40, 100}, chunk[] = {10, 100}, place[] = {20, 0}, size;
    haddr_t start;
    unsigned filters;
    {
        std::vector<float> numbers(4000, 0.5);
        hid_t file = new_file(folder / "f.h5"), space = H5Screate_simple(2, dims, nullptr);
        hid_t list = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(list, 2, chunk);
        H5Pset_fletcher32(list);
        hid_t x = H5Dcreate2(file, "x", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, list, H5P_DEFAULT);
        H5Dwrite(x, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data());
        H5Fflush(file, H5F_SCOPE_LOCAL);
        ASSERT_GE(H5Dget_chunk_info_by_coord(x, place, &filters, &start, &size), 0);
        H5Pclose(list);
        H5Sclose(space);
        EXPECT_TRUE(ls_h5_close_written(file, &error)) << error.text;
    }
    int descriptor = open((folder / "f.h5").c_str(), O_WRONLY);
    EXPECT_EQ(pwrite(descriptor, "?", 1, (off_t)start + 1), 1);
    close(descriptor);
    hid_t source = ls_h5_open((folder / "f.h5").c_str(), &error);
    hid_t target = new_file(folder / "to.h5");
    EXPECT_FALSE(ls_h5_copy_dataset(source, "x", target, "x", &error));
    EXPECT_EQ(error.code, LS_DATA);
    EXPECT_TRUE(has(error, "f.h5: x is damaged at row 0 or in the chunk it lies in")) << error.text;
    H5Fclose(source);
    H5Fclose(target);
}

TEST(H5, AMissingAttributeIsNoErrorAndLeavesTheValue)
{
    Folder folder;
    hid_t file = small_file(folder / "f.h5");
    ls_error error = {};
    long n = 7;
    bool present = true;
    EXPECT_TRUE(ls_h5_get_long(file, "no", &n, &present, &error));
    EXPECT_FALSE(present);
    EXPECT_EQ(n, 7);
    H5Fclose(file);
}

TEST(H5, AnAttributeOfAnotherTypeIsAnErrorThatNamesIt)
{
    Folder folder;
    hid_t file = small_file(folder / "f.h5");
    ls_error error = {};
    char *text = nullptr;
    long n;
    bool present;
    EXPECT_TRUE(ls_h5_put_double(file, "rate", 0.5, &error));
    EXPECT_FALSE(ls_h5_get_long(file, "rate", &n, &present, &error));
    EXPECT_TRUE(has(error, "attribute rate: expected 1 whole number")) << error.text;
    EXPECT_FALSE(ls_h5_get_text(file, "rate", &text, &present, &error));
    EXPECT_TRUE(has(error, "attribute rate: expected a text")) << error.text;
    H5Fclose(file);
}

TEST(H5, ReadsTextsOfFixedLengthToo)
{
    Folder folder;
    hid_t file = small_file(folder / "f.h5");
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, 4);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    hid_t attribute = H5Acreate2(file, "layout", type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, "NHWC");
    ls_error error = {};
    char *text = nullptr;
    bool present;
    EXPECT_TRUE(ls_h5_get_text(file, "layout", &text, &present, &error)) << error.text;
    EXPECT_STREQ(text, "NHWC");
    ls_free(text);
    H5Tclose(type);
    H5Sclose(space);
    H5Fclose(file);
}

TEST(H5, SaysWhatAFileIsThatItCannotOpen)
{
    Folder folder;
    write_file(folder / "text.h5", "not HDF5");
    hid_t file = small_file(folder / "cut.h5");
    H5Fclose(file);
    std::filesystem::resize_file(folder / "cut.h5", 1000);
    const struct {
        const char *name, *says;
    } cases[] = {{"none.h5", "No such file"},
                 {"", "is a directory"},
                 {"text.h5", "is not an HDF5 file"},
                 {"cut.h5", "cut short"}};
    for (const auto &c : cases) {
        ls_error error = {};
        EXPECT_LT(ls_h5_open((folder / c.name).c_str(), &error), 0);
        EXPECT_TRUE(has(error, c.says)) << error.text;
        EXPECT_TRUE(has(error, folder / c.name)) << error.text;
        EXPECT_EQ(error.code, LS_DATA);
    }
}

TEST(H5, SaysWhyAFileCannotBeCreated)
{
    Folder folder;
    ls_error error = {};
    EXPECT_LT(ls_h5_create("f.h5", -1, &error), 0);
    EXPECT_STREQ(error.text, "f.h5: can't create: Bad file descriptor");
    EXPECT_EQ(error.code, LS_IO);
}

TEST(H5, AFullDiskIsToldInTheSystemsWordsAndNothingIsLeft)
{
    Folder folder;
    std::string path = folder / "f.h5";
    std::vector<char> numbers(1 << 20);
    const hsize_t dims[] = {numbers.size()};
    ls_error error = {};
    {
        FullDisk disk(100000);
        ls_output output;
        ASSERT_TRUE(ls_output_open(&output, path.c_str(), &error)) << error.text;
        EXPECT_FALSE(ls_h5_write(output.file, "a", H5T_STD_I8LE, H5T_NATIVE_CHAR, 1, dims,
                                 numbers.data(), &error));
        EXPECT_EQ(error.text, path + ": can't write a (1048576 bytes): File too large");
        EXPECT_EQ(error.code, LS_IO);
        ls_output_discard(&output);
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.root));
    EXPECT_EQ(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

TEST(H5, ADiskThatIsFullAtTheEndIsToldToo)
{
    Folder folder;
    std::string path = folder / "f.h5";
    ls_error error = {};
    ls_output output;
    ASSERT_TRUE(ls_output_open(&output, path.c_str(), &error)) << error.text;
    EXPECT_TRUE(ls_h5_put_long(output.file, "a", 1, &error));
    {
        FullDisk disk(10);
        EXPECT_FALSE(ls_output_close(&output, &error));
    }
    EXPECT_TRUE(has(error, path + ": can't write (")) << error.text;
    EXPECT_TRUE(has(error, " bytes): File too large")) << error.text;
    EXPECT_TRUE(std::filesystem::is_empty(folder.root));
    EXPECT_EQ(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

TEST(H5, AFileThatIsBeingWrittenIsNotOpened)
{
    Folder folder;
    H5Fclose(small_file(folder / "f.h5"));
    int writer = open((folder / "f.h5").c_str(), O_RDWR);
    ASSERT_EQ(flock(writer, LOCK_EX), 0);
    ls_error error = {};
    EXPECT_LT(ls_h5_open((folder / "f.h5").c_str(), &error), 0);
    EXPECT_TRUE(has(error, "f.h5: is in use: another program holds a lock on it")) << error.text;
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
    hid_t file = ls_h5_open((folder / "f.h5").c_str(), &error);
    unsetenv("HDF5_USE_FILE_LOCKING");
    EXPECT_GE(file, 0);
    EXPECT_EQ(flock(writer, LOCK_EX | LOCK_NB), 0);
    H5Fclose(file);
    flock(writer, LOCK_UN);
    file = ls_h5_open((folder / "f.h5").c_str(), &error);
    EXPECT_LT(flock(writer, LOCK_EX | LOCK_NB), 0);
    H5Fclose(file);
    EXPECT_EQ(flock(writer, LOCK_EX | LOCK_NB), 0);
    close(writer);
}

TEST(H5, AnImageIsAWholeFile)
{
    size_t blocks = ls_memory_blocks();
    Folder folder;
    write_file(folder / "i.h5", image_bytes());
    ls_error error = {};
    hid_t file = ls_h5_open((folder / "i.h5").c_str(), &error);
    ASSERT_GE(file, 0) << error.text;
    std::vector<double> numbers(large[0]);
    EXPECT_TRUE(ls_h5_read(file, "x/y/z", H5T_NATIVE_DOUBLE, 1, large, numbers.data(), &error));
    EXPECT_EQ(numbers, std::vector<double>(large[0], 0.5));
    H5Fclose(file);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(H5, AFrameWithItsNumbersIsTheFileThatHdf5Writes)
{
    Folder folder;
    ls_error error = {};
    hid_t file = new_file(folder / "f.h5");
    const hid_t stored = sizeof(real) == sizeof(double) ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
    const std::vector<real> numbers(large[0], real(0.5));
    EXPECT_TRUE(ls_h5_put_text(file, "job", "model: lenet\n", &error));
    for (auto [path, rank, dims] :
         {std::make_tuple("x/y/z", 1, large), std::make_tuple("x/bias", 1, small),
          std::make_tuple("scalar", 0, small)})
        EXPECT_TRUE(
            ls_h5_write(file, path, stored, ls_h5_real(), rank, dims, numbers.data(), &error))
            << error.text;
    H5Fclose(file);
    EXPECT_EQ(read_file(folder / "f.h5"), image_bytes());
}

TEST(H5, EqualContentsAreEqualBytesAtAnyTime)
{
    std::string first = image_bytes();
    sleep(1); /* HDF5 would keep times in seconds */
    EXPECT_EQ(first, image_bytes());
}

TEST(H5, AnImageIsReadFromTheCallersBytes)
{
    std::string bytes = image_bytes();
    ls_error error = {};
    hid_t file = ls_h5_open_image("step-1.h5", bytes.data(), bytes.size(), &error);
    ASSERT_GE(file, 0) << error.text;
    char *job = nullptr, name[64];
    bool present;
    EXPECT_TRUE(ls_h5_get_text(file, "job", &job, &present, &error));
    EXPECT_STREQ(job, "model: lenet\n");
    EXPECT_STREQ(ls_h5_file(file, name, sizeof name), "step-1.h5");
    ls_free(job);
    H5Fclose(file);
    std::string before = bytes;
    EXPECT_EQ(bytes, before);
}

TEST(H5, AnImageCutShortIsRefused)
{
    std::string bytes = image_bytes();
    for (size_t size : {size_t{0}, size_t{5}, size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
        ls_error error = {};
        EXPECT_LT(ls_h5_open_image("cut.h5", bytes.data(), size, &error), 0) << size;
        EXPECT_TRUE(has(error, "cut.h5")) << error.text;
    }
}

TEST(Rowfile, NamesArraysTextsAndNumbers)
{
    Folder folder;
    ls_error error = {};
    ls_rowfile *dump = ls_rowfile_open((folder / "d.h5").c_str(), LS_ROWFILE_HDF5, &error);
    ASSERT_TRUE(dump) << error.text;
    ls_shape shape = {};
    shape.rank = 1;
    shape.at[0] = 3;
    const real values[] = {1, 2, 3, 4, 5, 6};
    EXPECT_TRUE(ls_rowfile_write(dump, "output/net/fc", 2, &shape, values, &error));
    EXPECT_TRUE(ls_rowfile_write(dump, "value/net/bias", -1, &shape, values, &error));
    EXPECT_FALSE(ls_rowfile_write(dump, "value/net/bias", -1, &shape, values, &error));
    EXPECT_TRUE(has(error, "value/net/bias")) << error.text;
    EXPECT_TRUE(ls_rowfile_text(dump, "/", "job", "model: mlp", &error));
    EXPECT_TRUE(ls_rowfile_number(dump, "loss", 0.25, &error));
    EXPECT_TRUE(ls_rowfile_close(dump, &error)) << error.text;

    hid_t file = ls_h5_open((folder / "d.h5").c_str(), &error);
    double found[6], loss = 0;
    bool present;
    const hsize_t three[] = {3};
    EXPECT_TRUE(
        ls_h5_read(file, "output/net/fc", H5T_NATIVE_DOUBLE, 2, two_by_three, found, &error));
    EXPECT_EQ(found[5], 6);
    EXPECT_TRUE(ls_h5_read(file, "value/net/bias", H5T_NATIVE_DOUBLE, 1, three, found, &error));
    EXPECT_TRUE(ls_h5_get_double(file, "loss", &loss, &present, &error));
    EXPECT_EQ(loss, 0.25);
    H5Fclose(file);
}
