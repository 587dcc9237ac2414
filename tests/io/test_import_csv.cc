/* import csv: text tables to data sets, against what stands in the text; and what is said about
 * tables that are wrong, by line and column. */
#include <zlib.h>

#include <cmath>
#include <numeric>

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

class ImportCsv : public testing::Test
{
  protected:
    ImportCsv()
    {
        plan.file[0] = train.c_str();
        plan.output = output.c_str();
        plan.force = true;
    }
    ~ImportCsv() override
    {
        ls_dataset_close(data);
    }
    void make(const std::string &text, const char *test_text = nullptr)
    {
        write_file(train, text);
        if (test_text)
            write_file(test, test_text);
        plan.file[1] = test_text ? test.c_str() : nullptr;
        ls_dataset_close(data);
        data = nullptr;
        char *text_said = nullptr;
        size_t size = 0;
        FILE *report = open_memstream(&text_said, &size);
        bool ok = ls_import_csv(&plan, report, &error);
        fclose(report);
        said = text_said;
        free(text_said);
        ASSERT_TRUE(ok) << error.text;
        data = ls_dataset_open(output.c_str(), &error);
        ASSERT_NE(data, nullptr) << error.text;
    }
    const ls_split *split(ls_split_id id)
    {
        return ls_dataset_split(data, id);
    }
    std::vector<double> read(ls_split_id id, bool y)
    {
        const ls_array *array = y ? &split(id)->y : &split(id)->x;
        std::vector<int64_t> rows(size_t(array->rows));
        std::iota(rows.begin(), rows.end(), 0);
        std::vector<real> out(rows.size() * size_t(ls_shape_count(&array->shape)));
        EXPECT_TRUE(ls_dataset_read(data, id, rows.data(), long(rows.size()), nullptr,
                                    y ? nullptr : out.data(), y ? out.data() : nullptr, &error))
            << error.text;
        return {out.begin(), out.end()};
    }
    std::string class_names()
    {
        bool present = false;
        char *text = nullptr;
        hid_t file = ls_h5_open(output.c_str(), &error);
        hid_t y = H5Dopen2(file, "train/y", H5P_DEFAULT);
        EXPECT_TRUE(ls_h5_get_text(y, "class_names", &text, &present, &error)) << error.text;
        std::string names = present ? text : "";
        ls_free(text);
        H5Fclose(file);
        return names;
    }
    void expect_refused(const std::string &text, int code, const std::vector<std::string> &words)
    {
        std::filesystem::remove(output);
        write_file(train, text);
        EXPECT_FALSE(ls_import_csv(&plan, nullptr, &error)) << text;
        EXPECT_EQ(error.code, code) << error.text;
        expect_words(error, words);
        EXPECT_FALSE(std::filesystem::exists(output));
        for (const auto &file : std::filesystem::directory_iterator(folder.root))
            EXPECT_NE(file.path().extension(), ".tmp") << file.path();
    }
    using Numbers = std::vector<double>;

    Folder folder;
    std::string train = folder / "table.csv", test = folder / "more.csv";
    std::string output = folder / "table.h5";
    ls_import plan = ls_import_presets;
    ls_dataset *data = nullptr;
    ls_error error = {};
    std::string said; /* what the last import reported */
};

TEST_F(ImportCsv, TheLastColumnHoldsTheLabelsUnlessSaid)
{
    make("1,2,0\n3,4.5,2\n-1e3,.25,1\n");
    EXPECT_EQ(read(LS_TRAIN, false), (Numbers{1, 2, 3, 4.5, -1000, 0.25}));
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{0, 2, 1}));
    EXPECT_EQ(split(LS_TRAIN)->classes, 3);
    EXPECT_EQ(split(LS_TRAIN)->x.type, LS_F32);
    EXPECT_FALSE(split(LS_VALID)->present);
}

TEST_F(ImportCsv, NamesBecomeClassNumbersInTheOrderOfTheirBytes)
{
    plan.header = true;
    plan.label = "kind";
    make("kind,a,b\ndog,1,2\ncat,3,4\ndog,5,6\nape,7,8\n");
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{2, 1, 2, 0}));
    EXPECT_EQ(read(LS_TRAIN, false), (Numbers{1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(class_names(), "ape\ncat\ndog");
}

TEST_F(ImportCsv, MinusOneAndOneAreNames)
{
    make("5,-1\n6,1\n");
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{0, 1}));
    EXPECT_EQ(class_names(), "-1\n1");
}

TEST_F(ImportCsv, QuotesCarriageReturnsBlankLinesSpacesAndByteOrderMarkAreRead)
{
    make("\xef\xbb\xbf 1 ,\t2,\"a, \"\"b\"\" c\"\r\n\r\n3,\"4\",x\r\n\n5,6,x");
    EXPECT_EQ(read(LS_TRAIN, false), (Numbers{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(class_names(), "a, \"b\" c\nx");
}

TEST_F(ImportCsv, TheLastColumnsAreTargetsWhereAsked)
{
    plan.targets = 2;
    plan.separator = ";";
    make("1;2;3\n4;5;6\n");
    EXPECT_EQ(read(LS_TRAIN, false), (Numbers{1, 4}));
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{2, 3, 5, 6}));
    EXPECT_EQ(split(LS_TRAIN)->classes, 0);
}

TEST_F(ImportCsv, WithoutLabelsThereIsNoY)
{
    plan.label = "none";
    make("1,2\n3,4\n");
    EXPECT_FALSE(split(LS_TRAIN)->has_y);
    EXPECT_EQ(read(LS_TRAIN, false), (Numbers{1, 2, 3, 4}));
}

TEST_F(ImportCsv, TheSecondFileIsTheTestSplitWithTheSameClasses)
{
    make("1,b\n2,a\n3,c\n", "4,c\n5,a\n");
    EXPECT_EQ(read(LS_TEST, true), (Numbers{2, 0}));
    EXPECT_EQ(read(LS_TEST, false), (Numbers{4, 5}));
    EXPECT_EQ(split(LS_TEST)->classes, 3);
}

TEST_F(ImportCsv, ValidationRowsAreTakenOffTheTrainingRows)
{
    std::string text;
    for (int i = 0; i < 100; i++)
        text += std::to_string(i) + "," + std::to_string(i % 7) + "\n";
    plan.valid = 30;
    make(text);
    Numbers x = read(LS_TRAIN, false), valid = read(LS_VALID, false);
    Numbers y = read(LS_VALID, true);
    EXPECT_EQ(x.size(), size_t(70));
    EXPECT_TRUE(std::is_sorted(x.begin(), x.end()));
    for (size_t i = 0; i < valid.size(); i++)
        EXPECT_EQ(y[i], double(long(valid[i]) % 7));
    x.insert(x.end(), valid.begin(), valid.end());
    std::sort(x.begin(), x.end());
    for (size_t i = 0; i < 100; i++)
        EXPECT_EQ(x[i], double(i));
}

TEST_F(ImportCsv, StandardScaleIsThatOfTheTrainingRowsForEverySplit)
{
    std::string text;
    for (int i = 0; i < 50; i++)
        text += std::to_string(i * i % 37) + "," + std::to_string(1000 + 3 * i) + ",7," +
                std::to_string(i % 2) + "\n";
    plan.valid = 10;
    plan.scale = "standard";
    plan.label = "4";
    make(text, "37,1000,7,0\n");
    Numbers x = read(LS_TRAIN, false);
    for (size_t c = 0; c < 3; c++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < 40; i++) {
            mean += x[3 * i + c] / 40;
            square += x[3 * i + c] * x[3 * i + c] / 40;
        }
        EXPECT_NEAR(mean, 0, 1e-5);
        EXPECT_NEAR(square, c == 2 ? 0 : 1, 1e-5); /* a constant column stays constant */
    }
    /* The test row, by the numbers that were kept. */
    hid_t file = ls_h5_open(output.c_str(), &error);
    double mean[3], deviation[3];
    for (auto [name, to] : {std::pair{"column_mean", mean}, {"column_deviation", deviation}}) {
        hid_t it = H5Aopen_by_name(file, "train/x", name, H5P_DEFAULT, H5P_DEFAULT);
        H5Aread(it, H5T_NATIVE_DOUBLE, to);
        H5Aclose(it);
    }
    H5Fclose(file);
    Numbers row = read(LS_TEST, false);
    EXPECT_NEAR(row[0], (37 - mean[0]) / deviation[0], 1e-5);
    EXPECT_NEAR(row[1], (1000 - mean[1]) / deviation[1], 1e-5);
}

TEST_F(ImportCsv, NewRowsAreScaledAndNumberedAsThoseOfAnotherFile)
{
    std::string known = folder / "known.h5";
    plan.output = known.c_str();
    plan.scale = "standard";
    write_file(train, "1,4,b\n2,4,c\n6,4,a\n");
    ASSERT_TRUE(ls_import_csv(&plan, nullptr, &error)) << error.text;
    plan.output = output.c_str();
    plan.scale = known.c_str();
    make("11,5,c\n3,4,a\n", "3,3,b\n");
    double deviation = std::sqrt((4 + 1 + 9) / 3.);
    Numbers x = read(LS_TRAIN, false), more = read(LS_TEST, false);
    const Numbers expected = {8 / deviation, 1, 0, 0};
    for (size_t i = 0; i < expected.size(); i++)
        EXPECT_NEAR(x[i], expected[i], 1e-6);
    EXPECT_EQ(more, (Numbers{0, -1}));
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{2, 0}));
    EXPECT_EQ(read(LS_TEST, true), (Numbers{1}));
    EXPECT_EQ(split(LS_TRAIN)->classes, 3);
    EXPECT_EQ(class_names(), "a\nb\nc");

    ls_dataset_close(data);
    data = nullptr;
    plan.file[1] = nullptr;
    expect_refused("1,2,d\n", LS_DATA, {"table.csv:1: label 'd' does not occur in", "known.h5"});
    expect_refused("1,2,3,a\n", LS_DATA,
                   {"table.csv has 3 column(s) of inputs beside the label in column 4, ",
                    "known.h5 has 2; expected as many"});
    expect_refused("1,a\n", LS_DATA, {"known.h5 has 2; is there no label? --label none"});
    plan.label = "none";
    expect_refused("1\n", LS_DATA, {"table.csv has 1 column(s) of inputs, ", "known.h5 has 2"});
    make("3,4\n");
    EXPECT_EQ(read(LS_TRAIN, false), (Numbers{0, 0}));
}

TEST_F(ImportCsv, AFileToBeLikeMustSayHow)
{
    std::string known = folder / "known.h5";
    plan.scale = known.c_str();
    auto with = [&](std::vector<double> deviation, const char *names) {
        Writer file(known);
        put_pair(file, "train");
        hid_t x = H5Dopen2(file.file, "train/x", H5P_DEFAULT);
        hid_t y = H5Dopen2(file.file, "train/y", H5P_DEFAULT);
        const double mean[] = {1, 2};
        EXPECT_TRUE(ls_h5_put_numbers(x, "column_mean", H5T_NATIVE_DOUBLE, 2, mean, &error));
        if (!deviation.empty()) {
            EXPECT_TRUE(ls_h5_put_numbers(x, "column_deviation", H5T_NATIVE_DOUBLE, 2,
                                          deviation.data(), &error));
        }
        EXPECT_TRUE(ls_h5_put_long(y, "classes", 2, &error));
        EXPECT_TRUE(ls_h5_put_text(y, "class_names", names, &error));
        H5Dclose(y);
        H5Dclose(x);
    };
    with({}, "a\nb");
    expect_refused("1,2,a\n", LS_DATA, {"has no attributes column_mean and column_deviation"});
    with({1, 0}, "a\nb");
    expect_refused("1,2,a\n", LS_DATA, {"mean 2 and deviation 0 for column 2"});
    for (const char *names : {"a", "a\nb\nc", "a\na"}) {
        with({1, 1}, names);
        expect_refused("1,2,a\n", LS_DATA, {"classes=2 and class_names that do not fit"});
    }
    with({1, 1}, "a\nb");
    make("1,2,b\n");
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{1}));
}

/* Of `words`, none occurs in what was reported. */
static void expect_unsaid(const std::string &said, const std::vector<std::string> &words)
{
    for (const std::string &word : words)
        EXPECT_EQ(said.find(word), std::string::npos) << said;
}

static void expect_said(const std::string &said, const std::vector<std::string> &words)
{
    for (const std::string &word : words)
        EXPECT_NE(said.find(word), std::string::npos) << word << " in: " << said;
}

TEST_F(ImportCsv, NumbersAreScaledBeforeTheyAreNarrowed)
{
    /* (first value, step): seconds, milliseconds and days since 1970, degrees. */
    for (auto [base, step] :
         {std::pair{1609459200.0, 1.0}, {1.6e12, 1.0}, {20240101.0, 1.0}, {48.85, 1e-6}}) {
        std::string text;
        std::vector<double> values;
        for (int i = 0; i < 100; i++) {
            char line[80];
            snprintf(line, sizeof line, "%.9f,%d\n", base + i * step, i % 2);
            text += line;
            values.push_back((i - 49.5) / std::sqrt((100 * 100 - 1) / 12.0));
        }
        plan.scale = "standard";
        make(text);
        Numbers x = read(LS_TRAIN, false);
        for (size_t i = 0; i < 100; i++)
            EXPECT_NEAR(x[i], values[i], 1e-4) << base;
        expect_unsaid(said, {"float32 values"});
        /* A file that is scaled alike keeps them, too. */
        std::string known = folder / "known.h5";
        std::filesystem::copy_file(output, known,
                                   std::filesystem::copy_options::overwrite_existing);
        plan.scale = known.c_str();
        make(text);
        EXPECT_EQ(read(LS_TRAIN, false), x);
        expect_unsaid(said, {"float32 values"});
        plan.scale = "1";
        make(text);
        expect_said(said, {"note: column 1: 100 numbers become ", "--scale standard keeps them"});
    }
}

TEST_F(ImportCsv, WhatFloat32CantTellApartIsNamedAndNothingElse)
{
    plan.header = true;
    make("time,b,class\n16777216,0.1,0\n16777217,0.2,1\n16777218,0.3,0\n");
    expect_said(said, {"note: column 1 (time): 3 numbers become 2 float32 values; --scale standard "
                       "keeps them\n"});
    expect_unsaid(said, {"column 2"});
    /* An outlier leaves the small ones no digits, scaled or not. */
    plan.scale = "standard";
    make("a,class\n1.000000001,0\n1.000000002,1\n1e9,0\n");
    expect_said(said, {"note: column 1 (a): 3 numbers become 2 float32 values; take a constant"});
    plan.scale = "1";
    plan.targets = 1;
    make("a,price\n1,1609459200\n2,1609459201\n");
    expect_said(said, {"note: column 2 (price): 2 numbers become 1 float32 values"});
    plan.targets = 0;
    std::string text = "a,class\n"; /* as many digits as a double has: a few numbers meet */
    for (int i = 0; i < 20000; i++)
        text += std::to_string(i * 0.6180339887498949 - std::floor(i * 0.6180339887498949)) +
                std::to_string(1000000 + i * 7919 % 100003) + "," + std::to_string(i % 2) + "\n";
    make(text);
    expect_unsaid(said, {"float32 values"});
}

TEST_F(ImportCsv, AColumnThatIsConstantInDoubleStaysSo)
{
    plan.scale = "standard";
    make("0.3,5,0\n0.30000000000000004,5,1\n0.3,5,0\n");
    for (double value : read(LS_TRAIN, false))
        EXPECT_NEAR(value, 0, 1e-15);
}

TEST_F(ImportCsv, LabelsThatAreNoNumbersAmongNumbersAreRefused)
{
    for (const char *bad : {"?", "NA", "n/a", "nan", "inf", "12a", "1.5", "-1", "x", "1e99"})
        expect_refused(std::string("1,0\n2,1\n3,") + bad + "\n4,10\n5,2\n", LS_DATA,
                       {"table.csv:3: column 2 holds '", bad, "expected a whole number from 0"});
    plan.header = true;
    expect_refused("a,kind\n1,?\n2,?\n3,?\n4,1\n", LS_DATA,
                   {"table.csv:2: column 2 (kind) holds '?'"});
    plan.header = false;
    expect_refused("1,0.5\n2,1.25\n3,1\n", LS_DATA,
                   {"table.csv:1: column 2 holds '0.5'", "--targets 1"});
    expect_refused("1,20000000\n2,30000000\n", LS_DATA, {"table.csv:1: column 2 holds '20000000'"});
    write_file(test, "1,0\n2,?\n");
    plan.file[1] = test.c_str();
    expect_refused("1,0\n2,1\n", LS_DATA,
                   {"more.csv:2: column 2 holds '?'", "whole number from 0"});
}

TEST_F(ImportCsv, NamesThatAreNumbersComeFirstByTheirValue)
{
    make("1,b\n2,10\n3,a\n4,9\n5,x\n");
    EXPECT_EQ(class_names(), "9\n10\na\nb\nx");
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{3, 1, 2, 0, 4}));
    make("1,cat\n2,dog\n3,NA\n");
    expect_said(said, {"note: label 'NA' reads like a missing value; here it is class 0"});
}

TEST_F(ImportCsv, WhatALabelColumnMeansIsSaid)
{
    plan.header = true;
    plan.label = "kind";
    make("kind,a\ndog,1\ncat,3\ndog,5\n");
    expect_said(said,
                {"table.csv: column 1 (kind): 2 classes of 1 (label cat) to 2 (label dog) rows"});
    expect_unsaid(said, {"note:"});
    plan.header = false;
    plan.label = nullptr;
    make("1,0\n2,1\n");
    expect_said(said, {"table.csv: column 2: 2 classes of 1 row\n"});
}

TEST_F(ImportCsv, LabelsFromOneAreAskedAboutAndCounted)
{
    plan.label = "2";
    make("1,1\n2,2\n3,3\n");
    expect_said(said, {"no row has label 0; do labels count from 1?", "--labels-from 1"});
    plan.labels_from = 1;
    make("1,1\n2,2\n3,3\n", "4,3\n");
    EXPECT_EQ(split(LS_TRAIN)->classes, 3);
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{0, 1, 2}));
    EXPECT_EQ(read(LS_TEST, true), (Numbers{2}));
    expect_unsaid(said, {"note:"});
    plan.file[1] = nullptr;
    expect_refused("1,1\n2,0\n", LS_DATA, {"table.csv:2: column 2 holds '0'", "--labels-from"});
    expect_refused("1,a\n2,b\n", LS_USAGE, {"--labels-from is for labels that are numbers"});
}

TEST_F(ImportCsv, ClassesWithoutRowsAreSaidAndAbsurdOnesRefused)
{
    plan.label = "2";
    make("1,0\n2,4\n3,1\n");
    expect_said(said, {"note: 2 of 5 classes have no row: 2, 3\n"});
    expect_refused("1,0\n2,1000000\n", LS_DATA,
                   {"999999 of 1000001 classes have no row", "expected numbers from 0"});
}

TEST_F(ImportCsv, OneClassIsRefusedAndTheOtherColumnIsNamed)
{
    expect_refused("5,0,0\n1,7,0\n2,9,0\n", LS_DATA,
                   {"table.csv: column 3: all 3 row(s) have label 0", "give --label 1"});
    expect_refused("1.5,7,x\n2,9,x\n", LS_DATA,
                   {"all 2 row(s) have label x", "--label says which"});
    plan.header = true;
    expect_refused("a,Class,b\n1.5,7,3\n1,9,3\n", LS_DATA,
                   {"column 2 is called Class", "give --label 2"});
    make("label,p1,p2\n5,0,0\n1,7,255\n2,9,0\n");
    expect_said(said, {"254 of 256 classes have no row: 1, 2", "column 1 is called label"});
}

TEST_F(ImportCsv, NamesAreLinesOfUtf8)
{
    make("1,gr\xc3\xbc\xc3\x9f\n2,\xe2\x98\x83\n");
    expect_refused("1,\"first\nsecond\"\n3,y\n", LS_DATA,
                   {"table.csv:1: column 2 holds the line break 0x0a in a label"});
    expect_refused("1,x\n2,a\033[2J\n", LS_DATA,
                   {"table.csv:2: column 2 holds the control character 0x1b in a label"});
    expect_refused("1,x\n2,\xc2\x9b\n", LS_DATA, {"table.csv:2:", "control character 0xc2"});
    for (const char *bad : {"gr\xfc\xdf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf8\x88"})
        expect_refused(std::string("1,x\n2,") + bad + "\n", LS_DATA,
                       {"table.csv:2: column 2 holds the byte 0x", "iconv"});
    plan.header = true;
    expect_refused("gr\xf6\xdf"
                   "e,kind\n1,x\n2,y\n",
                   LS_DATA, {"table.csv:1: column 1 holds the byte 0xf6 in the name of a column"});
    expect_refused("\"a\nb\",kind\n1,x\n2,y\n", LS_DATA,
                   {"table.csv:1: column 1 holds the line break"});
}

TEST_F(ImportCsv, FilesOfOtherKindsAreNamed)
{
    using namespace std::string_literals;
    const std::pair<std::string, const char *> kinds[] = {
        {"<!DOCTYPE html><html>", "an HTML or XML page"},
        {"\n <HTML>\n", "an HTML or XML page"},
        {"PK\x03\x04zip", "a zip archive"},
        {"\x80\x04pickle", "a Python pickle"},
        {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
        {"\x89PNG\r\n", "a PNG picture"},
        {"\x93NUMPY\x01", "a .npy file"},
        {"\xff\xfe"
         "1\0,\0"s,
         "UTF-16 text"},
        {"BZh91AY&SY", "packed by bzip2"},
        {"\0\0\x08\x01\0\0\0\0"s, "an IDX file of labels"},
        {"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"},
    };
    for (const auto &[bytes, name] : kinds)
        expect_refused(bytes, LS_DATA, {"table.csv: is no text table: it is ", name});
    expect_refused("1,0\r2,1\r", LS_DATA, {"table.csv:1: holds a line end of CR alone"});
    expect_refused("1\0,\0"
                   "0\0\n\0"s,
                   LS_DATA, {"zero byte", "UTF-16"});
    for (int times = 0; times < 2; times++) { /* gzip in gzip */
        std::string bytes = times ? read_file(train) : "1,0\n2,1\n";
        gzFile file = gzopen(train.c_str(), "wb");
        gzwrite(file, bytes.data(), unsigned(bytes.size()));
        gzclose(file);
    }
    std::string twice = read_file(train);
    expect_refused(twice, LS_DATA, {"once unpacked, it is packed by gzip (gunzip it)"});
}

TEST_F(ImportCsv, MemoryFollowsTheSizeOfTheText)
{
    std::string row = "0";
    for (int i = 0; i < 200000; i++)
        row += ",7";
    std::string text = row + "\n1" + row.substr(1) + "\n";
    plan.label = "1";
    write_file(train, text);
    long most = 0;
    /* The report is written while all is held. */
    cookie_io_functions_t calls = {};
    calls.write = [](void *cookie, const char *, size_t n) {
        long &seen = *static_cast<long *>(cookie);
        seen = std::max(seen, long(ls_memory_held()));
        return ssize_t(n);
    };
    FILE *report = fopencookie(&most, "w", calls);
    setvbuf(report, nullptr, _IONBF, 0);
    long before = long(ls_memory_held());
    ASSERT_TRUE(ls_import_csv(&plan, report, &error)) << error.text;
    fclose(report);
    EXPECT_LT(most - before, 12 * long(text.size()));
}

TEST_F(ImportCsv, AFactorIsKeptAsTheScale)
{
    plan.scale = "0.5";
    make("2,0\n4,1\n");
    EXPECT_EQ(read(LS_TRAIN, false), (Numbers{1, 2}));
}

TEST_F(ImportCsv, ReadsGzip)
{
    std::string packed = train;
    gzFile file = gzopen(packed.c_str(), "wb");
    gzputs(file, "1,2,0\n3,4,1\n");
    gzclose(file);
    ASSERT_TRUE(ls_import_csv(&plan, nullptr, &error)) << error.text;
    std::string bytes = read_file(packed);
    expect_refused(bytes.substr(0, bytes.size() - 12), LS_DATA, {"table.csv:", "can't be read on"});
}

TEST_F(ImportCsv, ManyRowsAndLongFieldsComeThrough)
{
    std::string text, name(5000, 'n');
    for (int i = 0; i < 5000; i++)
        text += std::to_string(i) + (i % 2 ? ",m\n" : "," + name + "\n");
    make(text);
    Numbers x = read(LS_TRAIN, false), y = read(LS_TRAIN, true);
    for (size_t i = 0; i < 5000; i++) {
        EXPECT_EQ(x[i], double(i));
        EXPECT_EQ(y[i], i % 2 ? 0 : 1);
    }
}

TEST_F(ImportCsv, WrongFieldsAreNamedByLineAndColumn)
{
    expect_refused("1,2,0\n3,x4,1\n", LS_DATA,
                   {"table.csv:2: column 2 holds 'x4'; expected a finite number"});
    expect_refused("1,2,0\n\n3,,1\n", LS_DATA, {"table.csv:3: column 2 is empty"});
    expect_refused("1,2,0\n3,4,\n", LS_DATA, {"table.csv:2: column 3 is empty; expected a label"});
    expect_refused("1,2,0\nnan,4,1\n", LS_DATA, {"table.csv:2: column 1 holds 'nan'"});
    expect_refused("1,2,0\n1e99,4,1\n", LS_DATA, {"table.csv:2: column 1 holds '1e99'"});
    expect_refused("1,2,0\n3,4 5,1\n", LS_DATA, {"table.csv:2: column 2 holds '4 5'"});
    expect_refused("1,2,0\n3,4\n", LS_DATA, {"table.csv:2: has 2 column(s); expected 3"});
    expect_refused("1,2,0\n3,4,1,\n", LS_DATA, {"table.csv:2: has 4 column(s); expected 3"});
    expect_refused("1,2,0\n\"3,4,1\n5,6,1\n", LS_DATA,
                   {"table.csv:2: a quote opens here and is never closed"});
    expect_refused(std::string("1,2,0\n3,\0,1\n", 13), LS_DATA, {"table.csv:2:", "zero byte"});
    expect_refused("a,b,c\n1,2,0\n", LS_DATA, {"table.csv:1: column 1 holds 'a'", "--header"});
    plan.header = true;
    expect_refused("long,wide,kind\n1,2,0\n3,x,1\n", LS_DATA,
                   {"table.csv:3: column 2 (wide) holds 'x'"});
}

TEST_F(ImportCsv, TablesThatAreNoneAreRefused)
{
    expect_refused("", LS_DATA, {"holds no rows"});
    expect_refused("\n\n", LS_DATA, {"holds no rows"});
    expect_refused("1\n2\n", LS_DATA, {"has 1 column(s)", "--separator"});
    plan.header = true;
    expect_refused("a,b\n", LS_DATA, {"holds no rows"});
    plan.label = "kind";
    expect_refused("a,kinds\n1,2\n", LS_USAGE, {"no column 'kind'", "did you mean kinds?"});
    plan.label = "3";
    expect_refused("a,b\n1,2\n", LS_USAGE, {"no column '3'", "1 to 2"});
    plan.label = nullptr;
    plan.targets = 2;
    expect_refused("a,b\n1,2\n", LS_DATA, {"has 2 column(s)", "2 are targets"});
    plan.targets = 0;
    plan.valid = 2;
    expect_refused("a,b\n1,2\n3,4\n", LS_USAGE, {"2 can't be split off", "0 to 1"});
}

TEST_F(ImportCsv, TheTestFileMustFitTheTrainingFile)
{
    plan.file[1] = test.c_str();
    write_file(test, "1,2,a\n");
    expect_refused("1,a\n", LS_DATA, {"more.csv: has 3 columns", "table.csv has 2"});
    write_file(test, "1,a\n2,d\n");
    expect_refused("1,a\n2,b\n", LS_DATA, {"more.csv:2: label 'd' does not occur in"});
    plan.header = true;
    write_file(test, "wide,long,kind\n1,2,0\n");
    expect_refused("long,wide,kind\n1,2,0\n", LS_DATA,
                   {"more.csv: column 1 is 'wide', but 'long' in", "in the same order"});
}

TEST_F(ImportCsv, FilesThatAreNotThere)
{
    std::filesystem::remove(train);
    EXPECT_FALSE(ls_import_csv(&plan, nullptr, &error));
    expect_words(error, {"table.csv: can't open: No such file"});
    plan.file[0] = folder.root.c_str();
    EXPECT_FALSE(ls_import_csv(&plan, nullptr, &error));
    expect_words(error, {"directory"});
}

} /* namespace */
