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
        ASSERT_TRUE(ls_import_csv(&plan, nullptr, &error)) << error.text;
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

TEST_F(ImportCsv, NegativeLabelsAreNames)
{
    make("5,-1\n6,1\n");
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{0, 1}));
    EXPECT_EQ(class_names(), "-1\n1");
}

TEST_F(ImportCsv, QuotesCarriageReturnsBlankLinesSpacesAndByteOrderMarkAreRead)
{
    make("\xef\xbb\xbf 1 ,\t2,\"a, \"\"b\"\"\nc\"\r\n\r\n3,\"4\",x\r\n\n5,6,x");
    EXPECT_EQ(read(LS_TRAIN, false), (Numbers{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(class_names(), "a, \"b\"\nc\nx");
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
        text += std::to_string(i * i % 37) + "," + std::to_string(1000 + 3 * i) + ",7,0\n";
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
    expect_refused("1,2,3,a\n", LS_DATA, {"known.h5", "attribute column_mean: expected 3 number"});
    plan.label = "none";
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
    for (const char *names : {"a", "a\nb\nc", "b\na", "a\na"}) {
        with({1, 1}, names);
        expect_refused("1,2,a\n", LS_DATA, {"classes=2 and class_names that do not fit"});
    }
    with({1, 1}, "a\nb");
    make("1,2,b\n");
    EXPECT_EQ(read(LS_TRAIN, true), (Numbers{1}));
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
