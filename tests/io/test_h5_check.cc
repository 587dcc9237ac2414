/* h5_check: sound files of every form are taken; damaged and hostile ones are refused before HDF5,
 * which some of them would make crash or hang, sees them. */
#include <cstring>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/h5/h5.h"
#include "io/h5/h5_list.h"
}

using namespace data_files;

namespace
{

void look(void *objects, const ls_h5_list_object *object)
{
    (void)object;
    ++*static_cast<long *>(objects);
}

/* Objects of a file, or -1 where it is refused. */
long count(const std::string &path, ls_error *error)
{
    long objects = 0;
    return ls_h5_list_visit(path.c_str(), look, &objects, error) ? objects : -1;
}

void put_array(hid_t file, const std::string &path, hid_t properties = H5P_DEFAULT)
{
    const float numbers[24] = {1, 2, 3};
    const hsize_t dims[] = {6, 4};
    hid_t space = H5Screate_simple(2, dims, nullptr), links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t dataset =
        H5Dcreate2(file, path.c_str(), H5T_IEEE_F32LE, space, links, properties, H5P_DEFAULT);
    EXPECT_GE(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers), 0);
    EXPECT_TRUE(ls_h5_put_text(dataset, "layout", "features", nullptr));
    EXPECT_TRUE(ls_h5_put_double(dataset, "scale", 0.5, nullptr));
    H5Dclose(dataset);
    H5Pclose(links);
    H5Sclose(space);
}

class H5Check : public testing::Test
{
  protected:
    /* A file in the oldest or the newest form, with `user` bytes before it. */
    hid_t create(bool newest, hsize_t user = 0)
    {
        hid_t access = H5Pcreate(H5P_FILE_ACCESS), form = H5Pcreate(H5P_FILE_CREATE);
        if (newest)
            H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
        H5Pset_userblock(form, user);
        hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, form, access);
        H5Pclose(form);
        H5Pclose(access);
        return file;
    }
    /* A small file with everything that is checked; returns its bytes. */
    std::string small_file()
    {
        const hsize_t chunk[] = {4, 4};
        hid_t file = create(false), chunks = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(chunks, 2, chunk);
        put_array(file, "train/x");
        put_array(file, "train/c", chunks);
        EXPECT_TRUE(ls_h5_put_text(file, "job", "steps: 2", nullptr));
        H5Lcreate_soft("/train/x", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
        H5Pclose(chunks);
        H5Fclose(file);
        return read_file(path);
    }
    /* The error with the bytes `from` of the small file replaced by `to`, the first time they
     * occur after `start`. */
    std::string refusal(const std::string &from, const std::string &to, size_t start = 0)
    {
        std::string bytes = small_file();
        size_t at = bytes.find(from, start);
        EXPECT_NE(at, std::string::npos);
        write_file(path, bytes.replace(at, to.size(), to));
        ls_error error = {};
        EXPECT_EQ(count(path, &error), -1);
        EXPECT_EQ(error.code, LS_DATA);
        return error.text;
    }
    Folder folder;
    std::string path = folder / "f.h5";
};

template <class T> std::string bytes_of(T value)
{
    return std::string(reinterpret_cast<const char *>(&value), sizeof value);
}

TEST_F(H5Check, TakesSoundFilesOfEveryForm)
{
    for (int form = 0; form < 3; form++) {
        const hsize_t chunk[] = {1, 1};
        hid_t file = create(form == 1, form == 2 ? 1024 : 0), other = H5Pcreate(H5P_DATASET_CREATE);
        for (int i = 0; i < 200; i++)
            put_array(file, "many/names/" + std::to_string(i));
        for (int i = 0; i < 200; i += 3)
            H5Ldelete(file, ("many/names/" + std::to_string(i)).c_str(), H5P_DEFAULT);
        H5Pset_chunk(other, 2, chunk);
        H5Pset_deflate(other, 1);
        put_array(file, "chunks", other);
        H5Pclose(other);
        other = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_layout(other, H5D_COMPACT);
        put_array(file, "compact", other);
        H5Lcreate_hard(file, "many", file, "many/again", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_external("elsewhere.h5", "/x", file, "many/elsewhere", H5P_DEFAULT, H5P_DEFAULT);
        EXPECT_TRUE(ls_h5_put_text(file, "job", std::string(100000, 'j').c_str(), nullptr));
        EXPECT_TRUE(ls_h5_put_text(file, "empty", "", nullptr));
        H5Pclose(other);
        H5Fclose(file);
        ls_error error = {};
        EXPECT_EQ(count(path, &error), 1 + 2 + 133 + 2 + 2) << form << ": " << error.text;
    }
}

TEST_F(H5Check, NoDamagedByteBringsItDown)
{
    const std::string whole = small_file();
    long refused = 0;
    for (size_t at = 0; at < whole.size(); at++) {
        if (whole[at] == 0 && at % 8)
            continue; /* most of the file */
        std::string bytes = whole;
        bytes[at] = static_cast<char>(at % 3 ? ~bytes[at] : bytes[at] + 1);
        write_file(path, bytes);
        ls_error error = {};
        bool is_refused = count(path, &error) < 0;
        EXPECT_EQ(is_refused, error.text[0] != 0);
        refused += is_refused;
    }
    EXPECT_GT(refused, 200);
}

TEST_F(H5Check, NoLengthBringsItDown)
{
    const std::string whole = small_file();
    for (size_t size = 0; size < whole.size(); size += 7) {
        write_file(path, whole.substr(0, size));
        ls_error error = {};
        EXPECT_EQ(count(path, &error), -1) << size;
        EXPECT_NE(error.text[0], 0) << size;
    }
}

TEST_F(H5Check, TextsThatAreNotThereAreRefused)
{
    std::string bytes = small_file();
    size_t heap = bytes.find("GCOL"), text = bytes.find("features", heap);
    ASSERT_NE(text, std::string::npos);
    /* The reference: length, address, index. HDF5 takes any index, and any length. */
    std::string reference = bytes_of(uint32_t{8}) + bytes_of(uint64_t{heap});
    EXPECT_NE(refusal(reference, reference + bytes_of(uint32_t{999})).find("that something refers"),
              std::string::npos);
    EXPECT_NE(refusal(reference, bytes_of(uint32_t{7})).find("that something refers"),
              std::string::npos);
    /* A heap whose free rest, behind the last text, is said to be of size 0: HDF5 goes round in
     * it. */
    std::string last = bytes.substr(bytes.find("steps: 2", heap), 16);
    EXPECT_NE(
        refusal(last + bytes_of(uint64_t{4096 - 3 * 24 - 16}), last + bytes_of(uint64_t{0}), heap)
            .find("that something refers"),
        std::string::npos);
}

TEST_F(H5Check, AGroupInsideItselfIsRefused)
{
    hid_t file = create(false);
    hid_t group = H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5O_info_t info;
    ASSERT_GE(H5Oget_info2(group, &info, H5O_INFO_BASIC), 0);
    put_array(file, "g/x");
    H5O_info_t inner;
    ASSERT_GE(H5Oget_info_by_name2(file, "g/x", &inner, H5O_INFO_BASIC, H5P_DEFAULT), 0);
    H5Gclose(group);
    H5Fclose(file);
    /* The entry of x: place of its name, address of its header. */
    std::string bytes = read_file(path), name = bytes_of(uint64_t{8});
    size_t at = bytes.find(name + bytes_of(uint64_t{inner.addr}));
    ASSERT_NE(at, std::string::npos);
    write_file(path, bytes.replace(at + 8, 8, bytes_of(uint64_t{info.addr})));
    ls_error error = {};
    EXPECT_EQ(count(path, &error), -1);
    expect_words(error, {"f.h5: is damaged at byte", "expected"});
}

TEST_F(H5Check, AHeaderThatGoesOnInItselfIsRefused)
{
    /* A root whose only message says that the header goes on, at this very message; in a file
     * that is large enough for the walk to come by a million times. */
    const size_t size = 16 << 20;
    const uint64_t nowhere = UINT64_MAX;
    std::string bytes =
        std::string("\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0", 24);
    for (uint64_t number :
         {uint64_t{0}, nowhere, uint64_t{size}, nowhere, uint64_t{0}, uint64_t{96}})
        bytes += bytes_of(number);
    bytes.resize(96); /* the rest of the root's entry */
    bytes += bytes_of(uint32_t{1}) + bytes_of(uint32_t{1}) + bytes_of(uint64_t{24});
    bytes += bytes_of(uint32_t{16 | 16 << 16}) + bytes_of(uint32_t{0}); /* message 16, 16 bytes */
    bytes += bytes_of(uint64_t{112}) + bytes_of(uint64_t{24});
    bytes.resize(size);
    write_file(path, bytes);
    ls_error error = {};
    EXPECT_EQ(count(path, &error), -1);
    expect_words(error,
                 {"f.h5: is damaged at byte 112", "not the same structures again and again"});
}

TEST_F(H5Check, AHeapOfLinksWithoutItsTreeIsRefused)
{
    hid_t file = create(false), form = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_link_creation_order(form, H5P_CRT_ORDER_TRACKED);
    H5Gclose(H5Gcreate2(file, "g", H5P_DEFAULT, form, H5P_DEFAULT));
    H5Pclose(form);
    H5Fclose(file);
    ls_error error = {};
    EXPECT_EQ(count(path, &error), 2) << error.text;
    /* No links, no heap and no B-tree; then a heap. HDF5 goes to the B-tree that is not there. */
    std::string bytes = read_file(path);
    size_t at = bytes.find(bytes_of(uint64_t{0}) + std::string(16, '\xff'));
    ASSERT_NE(at, std::string::npos);
    for (size_t heap : {size_t{7}, bytes.find("HEAP")}) {
        write_file(path, bytes.replace(at + 8, 8, bytes_of(uint64_t{heap})));
        EXPECT_EQ(count(path, &error), -1);
        expect_words(error,
                     {"f.h5: is damaged at byte", "expected a heap of attributes or names (FRHP)"});
    }
}

TEST_F(H5Check, GroupsVeryDeepInEachOtherAreRefused)
{
    for (int depth : {60, 70}) {
        hid_t file = create(false);
        std::string name;
        for (int i = 0; i < depth; i++)
            name += "g/";
        put_array(file, name + "x");
        H5Fclose(file);
        ls_error error = {};
        EXPECT_EQ(count(path, &error), depth == 60 ? 62 : -1);
        if (depth == 70)
            expect_words(error, {"groups at most 64 deep in each other"});
    }
}

TEST_F(H5Check, ChunksThatUnpackToTooLittleAreRefused)
{
    const hsize_t chunk[] = {6, 4};
    for (bool checksum : {false, true}) {
        hid_t file = create(false), list = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(list, 2, chunk);
        H5Pset_deflate(list, 1);
        if (checksum)
            H5Pset_fletcher32(list);
        put_array(file, "x", list);
        H5Pclose(list);
        H5Fclose(file);
        ls_error error = {};
        EXPECT_EQ(count(path, &error), 2) << error.text;
        /* The chunk's dimensions, then bytes of a number. */
        std::string bytes = read_file(path), four = bytes_of(uint32_t{4});
        size_t at = bytes.find(bytes_of(uint32_t{6}) + four + four);
        ASSERT_NE(at, std::string::npos);
        bytes[at] = 7;
        write_file(path, bytes);
        EXPECT_EQ(count(path, &error), -1);
        expect_words(error, {"expected a chunk that unpacks to its size"});
    }
}

TEST_F(H5Check, WhatIsNotReadIsSaid)
{
    const hsize_t chunk[] = {6, 4};
    hid_t file = create(false), scaled = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(scaled, 2, chunk);
    H5Pset_scaleoffset(scaled, H5Z_SO_FLOAT_DSCALE, 2);
    put_array(file, "x", scaled);
    H5Pclose(scaled);
    H5Fclose(file);
    ls_error error = {};
    EXPECT_EQ(count(path, &error), -1);
    expect_words(error, {"f.h5: has the filter szip, n-bit or scale-offset at byte",
                         "which lockstep does not read"});
}

TEST_F(H5Check, ATypeWithANameIsReadFromWhereItStands)
{
    for (bool newest : {false, true}) {
        hid_t file = create(newest), type = H5Tcopy(H5T_IEEE_F32LE);
        const hsize_t dims[] = {3};
        const float numbers[] = {1, 2, 3};
        hid_t space = H5Screate_simple(1, dims, nullptr);
        H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        hid_t x = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(x, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
        H5O_info_t of_type, of_x;
        H5Oget_info(type, &of_type);
        H5Oget_info(x, &of_x);
        H5Dclose(x);
        H5Sclose(space);
        H5Tclose(type);
        H5Fclose(file);
        ls_error error = {};
        EXPECT_EQ(count(path, &error), 3) << error.text;
        /* The address of the type, wherever it stands, replaced by that of what is no type: the
         * data set itself, or nothing at all. */
        std::string whole = read_file(path), address = bytes_of(uint64_t(of_type.addr));
        size_t places = 0;
        for (size_t at = whole.find(address); at != std::string::npos;
             at = whole.find(address, at + 1)) {
            for (uint64_t other : {uint64_t(of_x.addr), uint64_t(whole.size()), UINT64_MAX}) {
                std::string bytes = whole;
                write_file(path, bytes.replace(at, 8, bytes_of(other)));
                count(path, &error);
                places += std::string(error.text).find("a type") != std::string::npos;
            }
        }
        EXPECT_GE(places, 1u);
    }
}

TEST_F(H5Check, ManyAttributesAreCheckedWhereTheyStand)
{
    for (long attributes : {9, 40, 400}) {
        hid_t file = create(true);
        put_array(file, "x");
        hid_t x = H5Dopen2(file, "x", H5P_DEFAULT);
        for (long i = 0; i < attributes; i++)
            EXPECT_TRUE(ls_h5_put_long(x, ("number " + std::to_string(i)).c_str(), i, nullptr));
        H5Dclose(x);
        H5Fclose(file);
        ls_error error = {};
        EXPECT_EQ(count(path, &error), 2) << error.text;
        std::string whole = read_file(path);
        const std::string name = "number 7" + std::string(1, 0);
        const struct {
            std::string at;
            size_t after; /* bytes from there */
            std::string bytes, words;
        } wounds[] = {
            {name, 0, "number 77", "expected an attribute"}, /* the name does not end */
            {name, 9 + 4, "\1", "expected an attribute"},    /* larger than its bytes */
            {"FRHP", 22, std::string(8, 0), "has an attribute or name of more than 4 KiB"},
            {"FRHP", 110, "\5", "expected a heap of attributes or names (FRHP)"},
            {"FRHP", 132, "\xff\xff\xff\xff", "expected a structure that ends before the file"},
            {"FHDB", 5, "\1", "expected a block of a heap (FHDB)"},
            {"BTHD", 6, "\1", "expected a B-tree of attributes or names (BTHD)"},
            {"BTHD", 5, "\5", "expected a node of the B-tree of attributes or names"},
            {"BTHD", 26, "\xff", "expected as many attributes or names as a B-tree says"},
            {"BTLF", 5, "\5", "expected a node of the B-tree of attributes or names"},
        };
        for (const auto &wound : wounds) {
            SCOPED_TRACE(wound.at + " " + std::to_string(wound.after) + " of " +
                         std::to_string(attributes));
            std::string bytes = whole;
            size_t at = bytes.find(wound.at);
            ASSERT_NE(at, std::string::npos);
            write_file(path, bytes.replace(at + wound.after, wound.bytes.size(), wound.bytes));
            error = {};
            EXPECT_EQ(count(path, &error), -1);
            expect_words(error, {wound.words});
        }
    }
}

TEST_F(H5Check, ManyNamesHaveSoundHeads)
{
    for (int names : {9, 100, 3000}) {
        hid_t file = create(true), space = H5Screate(H5S_SCALAR);
        for (int i = 0; i < names; i++)
            H5Dclose(H5Dcreate2(file, ("name " + std::to_string(i)).c_str(), H5T_NATIVE_INT, space,
                                H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        H5Sclose(space);
        H5Fclose(file);
        ls_error error = {};
        EXPECT_EQ(count(path, &error), names + 1) << error.text;
        std::string whole = read_file(path);
        for (auto [at, after, words] :
             {std::tuple{"FRHP", 22, "has an attribute or name of more than 4 KiB"},
              {"FRHP", 110, "expected a heap of attributes or names (FRHP)"},
              {"BTHD", 26, "expected as many attributes or names as a B-tree says"}}) {
            std::string bytes = whole;
            bytes[bytes.find(at) + size_t(after)] ^= 0x10;
            write_file(path, bytes);
            EXPECT_EQ(count(path, &error), -1);
            expect_words(error, {words});
        }
    }
}

TEST_F(H5Check, AFileInPagesIsRead)
{
    for (hbool_t kept : {false, true}) {
        hid_t form = H5Pcreate(H5P_FILE_CREATE);
        H5Pset_file_space_strategy(form, H5F_FSPACE_STRATEGY_PAGE, kept, 1);
        H5Pset_file_space_page_size(form, 4096);
        hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, form, H5P_DEFAULT);
        H5Pclose(form);
        put_array(file, "x");
        put_array(file, "y");
        H5Ldelete(file, "x", H5P_DEFAULT);
        H5Fclose(file);
        ls_error error = {};
        EXPECT_EQ(count(path, &error), 2) << error.text;
        /* The message: version 1, strategy 1, kept, threshold 1, size of a page. */
        std::string bytes = read_file(path);
        const std::string message = std::string("\1\1", 2) + char(kept) + bytes_of(uint64_t{1});
        size_t at = bytes.find(message + bytes_of(uint64_t{4096}));
        ASSERT_NE(at, std::string::npos);
        std::string whole = bytes;
        write_file(path, bytes.replace(at + 11, 8, bytes_of(uint64_t{0})));
        EXPECT_EQ(count(path, &error), -1);
        expect_words(error, {"expected how the file's space is managed"});
        if (kept) { /* a list at an address where there is none */
            size_t list = whole.find(bytes_of(uint64_t(whole.find("FSHD"))), at);
            ASSERT_NE(list, std::string::npos);
            write_file(path, whole.replace(list, 8, bytes_of(uint64_t{8})));
            EXPECT_EQ(count(path, &error), -1);
            expect_words(error, {"expected how the file's space is managed"});
        }
    }
}

} /* namespace */
