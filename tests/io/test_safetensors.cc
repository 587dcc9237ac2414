/* safetensors: what is written is read again; numbers of other types; files of strangers, whose
 * every fault has its message. */
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <vector>

#include "folder.h"

extern "C" {
#include "core/memory.h"
#include "io/safetensors/safetensors.h"
#include "io/safetensors/safetensors_write.h"
}

namespace
{

class Safetensors : public testing::Test
{
  protected:
    /* A file of this header, with so many bytes of numbers behind it. */
    void make(const std::string &header, size_t numbers)
    {
        std::string bytes(8, 0);
        const uint64_t length = header.size();
        memcpy(bytes.data(), &length, sizeof length);
        write_file(path, bytes + header + std::string(numbers, 0));
    }
    /* The message without the path; "" if the file opens. */
    std::string complaint()
    {
        ls_safetensors *file = ls_safetensors_open(path.c_str(), &error);
        if (!file) {
            EXPECT_EQ(error.code, LS_DATA);
            const std::string text = error.text;
            EXPECT_EQ(text.substr(0, path.size() + 2), path + ": ");
            return text.substr(path.size() + 2);
        }
        ls_safetensors_close(file);
        return "";
    }
    std::string complaint(const std::string &header, size_t numbers)
    {
        make(header, numbers);
        return complaint();
    }
    /* The numbers of the only tensor, whose bytes follow the header. */
    std::vector<real> numbers(const std::string &type, const std::string &bytes, long count)
    {
        make("{\"a\":{\"dtype\":\"" + type + "\",\"shape\":[" + std::to_string(count) +
                 "],\"data_offsets\":[0," + std::to_string(bytes.size()) + "]}}",
             0);
        write_file(path, read_file(path) + bytes);
        ls_safetensors *file = ls_safetensors_open(path.c_str(), &error);
        EXPECT_TRUE(file) << error.text;
        std::vector<real> found((size_t)count);
        read = file && ls_safetensors_read(file, &file->table.at[0], found.data(), &error);
        ls_safetensors_close(file);
        return found;
    }

    Folder folder;
    std::string path = folder / "w.safetensors";
    ls_error error = {};
    bool read = false;
};

std::string bytes_of(const std::vector<uint16_t> &halves)
{
    return {(const char *)halves.data(), 2 * halves.size()};
}

TEST_F(Safetensors, HoldsWhatWasWritten)
{
    const real a[] = {1, -2, 3, 4, 5, 6}, b[] = {0.1f};
    const ls_safetensors_entry entries[] = {{"net/a/weight", {2, {2, 3}}}, {"net/\"b\"", {0, {}}}};
    const char *const metadata[] = {"key", "text", NULL};
    const ls_safetensors_contents contents = {2, entries, metadata};
    for (int again = 0; again < 2; again++) { /* the second replaces the first */
        ls_safetensors_write *out = ls_safetensors_write_begin(path.c_str(), &contents, &error);
        ASSERT_TRUE(out) << error.text;
        EXPECT_TRUE(ls_safetensors_write_numbers(out, a, 4, &error));
        EXPECT_TRUE(ls_safetensors_write_numbers(out, a + 4, 2, &error));
        EXPECT_TRUE(ls_safetensors_write_numbers(out, b, 1, &error));
        ASSERT_TRUE(ls_safetensors_write_end(out, &error)) << error.text;
    }
    EXPECT_TRUE(ls_safetensors_looks(path.c_str()));
    ls_safetensors *file = ls_safetensors_open(path.c_str(), &error);
    ASSERT_TRUE(file) << error.text;
    EXPECT_EQ(file->first % 8, 0u);
    const ls_safetensor *weight = ls_safetensors_table_find(&file->table, "net/a/weight");
    ASSERT_TRUE(weight);
    EXPECT_TRUE(ls_shape_equal(&weight->shape, &entries[0].shape));
    real found[6];
    EXPECT_TRUE(ls_safetensors_read(file, weight, found, &error)) << error.text;
    EXPECT_EQ(memcmp(found, a, sizeof a), 0);
    EXPECT_TRUE(ls_safetensors_read(file, &file->table.at[1], found, &error)) << error.text;
    EXPECT_EQ(found[0], b[0]);
    EXPECT_STREQ(file->table.at[1].name, "net/\"b\"");
    ls_safetensors_close(file);
}

TEST_F(Safetensors, AFileThatIsGivenUpLeavesNothing)
{
    const ls_safetensors_entry entry = {"a", {1, {2}}};
    const ls_safetensors_contents contents = {1, &entry, NULL};
    ls_safetensors_write *out = ls_safetensors_write_begin(path.c_str(), &contents, &error);
    ASSERT_TRUE(out) << error.text;
    ls_safetensors_write_discard(out);
    EXPECT_TRUE(std::filesystem::is_empty(folder.root));
    const std::string nowhere = folder / "none/w.safetensors";
    EXPECT_FALSE(ls_safetensors_write_begin(nowhere.c_str(), &contents, &error));
    EXPECT_EQ(error.code, LS_IO);
}

/* All 65,536 halves and brain floats against their definition. */
TEST_F(Safetensors, HalvesAreWhatTheirBitsSay)
{
    std::vector<uint16_t> halves;
    for (int bits = 0; bits < 65536; bits++)
        if ((bits >> 10 & 31) != 31 && (bits >> 7 & 255) != 255)
            halves.push_back((uint16_t)bits);
    const std::vector<real> f16 = numbers("F16", bytes_of(halves), (long)halves.size());
    EXPECT_TRUE(read) << error.text;
    const std::vector<real> bf16 = numbers("BF16", bytes_of(halves), (long)halves.size());
    EXPECT_TRUE(read) << error.text;
    for (size_t i = 0; i < halves.size(); i++) {
        const int sign = halves[i] >> 15 ? -1 : 1;
        const int e = halves[i] >> 10 & 31, f = halves[i] & 1023;
        ASSERT_EQ(f16[i], sign * std::ldexp(e ? 1024 + f : f, (e ? e : 1) - 25)) << halves[i];
        const int E = halves[i] >> 7 & 255, F = halves[i] & 127;
        ASSERT_EQ(bf16[i], sign * std::ldexp(E ? 128 + F : F, (E ? E : 1) - 134)) << halves[i];
    }
}

TEST_F(Safetensors, DoublesAreRoundedAndOthersMustBeFinite)
{
    const double doubles[] = {0.1, -3e-50, 1e300};
    const std::vector<real> two = numbers("F64", {(const char *)doubles, 16}, 2);
    EXPECT_TRUE(read) << error.text;
    EXPECT_EQ(two[0], (real)0.1);
    EXPECT_EQ(two[1], (real)-3e-50);
    numbers("F64", {(const char *)doubles, 24}, 3); /* beyond float */
    EXPECT_FALSE(read);
    EXPECT_EQ(error.text, path + ": tensor a holds inf at place 2; expected finite numbers");
    numbers("F16", bytes_of({0x3c00, 0x7e00}), 2);
    EXPECT_FALSE(read);
    EXPECT_EQ(error.text, path + ": tensor a holds nan at place 1; expected finite numbers");
}

#define A(shape, offsets)                                                                          \
    "\"a\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define B(shape, offsets)                                                                          \
    "\"b\":{\"dtype\":\"F16\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

TEST_F(Safetensors, TakesWhatTheFormatAllows)
{
    EXPECT_EQ(complaint("{}", 0), "");
    EXPECT_EQ(complaint("{\"__metadata__\":{\"k\":\"v\"}}   ", 0), "");
    EXPECT_EQ(complaint("{" B("[2]", "[8,12]") "," A("[2,1]", "[0,8]") "}", 12), "");
    EXPECT_EQ(complaint("{" A("[0,3]",
                              "[4,4]") "," B("[]", "[4,6]") ",\"c\":{\"dtype\":\"F32\","
                                                            "\"shape\":[],\"data_offsets\":[0,4]}}",
                        6),
              "");
    EXPECT_EQ(complaint("{\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}", 8), "");
}

TEST_F(Safetensors, SaysWhatIsWrongWithLengthAndKind)
{
    const std::string cut = "is no safetensors file, or is cut off: it has ";
    write_file(path, "");
    EXPECT_EQ(complaint(), cut + "0 bytes, fewer than the 8 that say how long its header is");
    write_file(path, "1234567");
    EXPECT_EQ(complaint(), cut + "7 bytes, fewer than the 8 that say how long its header is");
    write_file(path, std::string("\x05\0\0\0\0\0\0\0{}", 10));
    EXPECT_EQ(complaint(),
              cut + "10 bytes, and its first 8 say that its header has 5; expected 2 to 2");
    write_file(path, std::string(8, '\xff') + "{}");
    EXPECT_EQ(complaint(), cut + "10 bytes, and its first 8 say that its header has "
                                 "18446744073709551615; expected 2 to 2");
    write_file(path, std::string("PK\x03\x04", 4) + std::string(100, 'x'));
    EXPECT_EQ(complaint(), "is a zip archive, or a spreadsheet, .npz or .pt file (unzip or export "
                           "it); expected a safetensors file");
    std::filesystem::remove(path);
    EXPECT_EQ(complaint(), "can't open: No such file or directory");
    std::filesystem::create_directory(path);
    EXPECT_EQ(complaint(), "is a directory; expected a file");
}

TEST_F(Safetensors, AHeaderIsNotLongerThanItsBound)
{
    make(std::string(LS_SAFETENSORS_HEADER + 1, ' '), 0);
    EXPECT_EQ(complaint(), "is no safetensors file, or is cut off: it has 16777225 bytes, and its "
                           "first 8 say that its header has 16777217; expected 2 to 16777216");
}

TEST_F(Safetensors, SaysWhatIsWrongWithTheHeader)
{
    const struct {
        const char *header;
        size_t numbers;
        const char *message;
    } cases[] = {
        {"[]", 0, "the header is no JSON object"},
        {"{\"a\":", 0, "byte 5 of the header is no JSON: unexpected token near end of file"},
        {"{\"a\\u0000\":1}", 0,
         "byte 10 of the header is no JSON: NUL byte in object key not "
         "supported near '\"a\\u0000\"'"},
        {"{} {}", 0, "byte 4 of the header is no JSON: end of file expected near '{'"},
        {"{\"a\":[[[[1]]]]}", 0, "byte 8 of the header is 5 brackets deep; expected at most 4"},
        {"{" A("[1]", "[0,4]") "," A("[1]", "[4,8]") "}", 8,
         "byte 57 of the header is no JSON: duplicate object key near '\"a\"'"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "__metadata__ is no object of texts"},
        {"{\"__metadata__\":\"k\"}", 0, "__metadata__ is no object of texts"},
        {"{\"a\":7}", 0, "tensor a: its entry in the header is no object"},
        {"{\"a\":{\"shape\":[],\"data_offsets\":[0,4]}}", 4,
         "tensor a: dtype is missing, or no text"},
        {"{\"a\":{\"dtype\":\"F99\",\"shape\":[],\"data_offsets\":[0,4]}}", 4,
         "tensor a: dtype F99 is none of the format; expected F32, F16, BF16 or F64"},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4,
         "tensor a: shape is missing, or no array"},
        {"{" A("[1,1,1,1,1,1,1]", "[0,4]") "}", 4,
         "tensor a: shape has 7 dimensions; expected at most 6"},
        {"{" A("[-1]", "[0,4]") "}", 4,
         "tensor a: dimension 0 of shape is no whole number from 0 on"},
        {"{" A("[1,1.0]", "[0,4]") "}", 4,
         "tensor a: dimension 1 of shape is no whole number from 0 on"},
        {"{" A("[99999999999999999999]", "[0,4]") "}", 4,
         "byte 49 of the header is no JSON: too big integer near '99999999999999999999'"},
        {"{" A("[4294967296,4294967296,4]", "[0,4]") "}", 4,
         "tensor a: shape has more than 2^48 numbers"},
        {"{" A("[0,4294967296,4294967296]", "[0,0]") "}", 0,
         "tensor a: shape has more than 2^48 numbers"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 4,
         "tensor a: data_offsets are no two whole numbers [BEGIN, END], the second not below the "
         "first"},
        {"{" A("[1]", "[4,0]") "}", 4,
         "tensor a: data_offsets are no two whole numbers [BEGIN, END], the second not below the "
         "first"},
        {"{" A("[2]", "[0,8]") "}", 4,
         "tensor a: data_offsets [0, 8] reach beyond the end of the file, which has 4 bytes of "
         "numbers: is it cut off?"},
        {"{" A("[2,3]", "[0,20]") "}", 24,
         "tensor a: data_offsets [0, 20] are 20 bytes; expected 24 for F32 of shape 2x3"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4,
         "tensor a: unknown key x; expected dtype, shape and data_offsets"},
        {"{" A("[2]", "[0,8]") "," B("[2]", "[4,8]") "}", 8,
         "tensor b: begins at byte 4, inside tensor a, which ends at 8"},
        {"{" A("[2]", "[0,8]") "," B("[2]", "[10,14]") "}", 14,
         "tensor b: begins at byte 10, but no tensor holds the bytes from 8 on"},
        {"{" A("[1]", "[4,8]") "}", 8,
         "tensor a: begins at byte 4, but no tensor holds the bytes from 0 on"},
        {"{" A("[1]", "[0,4]") "}", 5,
         "the tensors end at byte 4, but the file has 5 bytes of numbers"},
    };
    for (const auto &c : cases)
        EXPECT_EQ(complaint(c.header, c.numbers), c.message) << c.header;
}

TEST_F(Safetensors, AFileThatIsCutAnywhereIsRefused)
{
    make("{" A("[2]", "[0,8]") "," B("[2]", "[8,12]") "}", 12);
    const std::string whole = read_file(path);
    for (size_t length = 0; length < whole.size(); length++) {
        write_file(path, whole.substr(0, length));
        EXPECT_NE(complaint(), "") << length;
    }
}

TEST_F(Safetensors, NothingIsHeldAfterwards)
{
    const size_t held = ls_memory_blocks();
    complaint("{" A("[2]", "[0,8]") "," B("[2]", "[4,8]") "}", 8);
    complaint("{" A("[2]", "[0,8]") "," B("[2]", "[8,12]") "}", 12);
    EXPECT_EQ(ls_memory_blocks(), held);
}

} /* namespace */
