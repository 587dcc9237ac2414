/* import synthetic: glyphs are functions of (seed, split, row), all classes are drawn, and they
 * can be told apart. */
#include <numeric>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/dataset.h"
#include "io/import/import.h"
}

using namespace data_files;

namespace
{

struct Rows {
    std::vector<real> x, y;
};

class ImportSynthetic : public testing::Test
{
  protected:
    ImportSynthetic()
    {
        plan.output = output.c_str();
        plan.rows = 300;
        plan.valid = 20;
        plan.test = 40;
        plan.size = 16;
        plan.classes = 10;
        plan.seed = 3;
        plan.force = true;
    }
    void make()
    {
        ASSERT_TRUE(ls_import_synthetic(&plan, nullptr, &error)) << error.text;
    }
    Rows read(ls_split_id id)
    {
        ls_dataset *data = ls_dataset_open(output.c_str(), &error);
        EXPECT_NE(data, nullptr) << error.text;
        const ls_split *split = ls_dataset_split(data, id);
        std::vector<int64_t> rows(size_t(split->x.rows));
        std::iota(rows.begin(), rows.end(), 0);
        Rows out = {std::vector<real>(rows.size() * size_t(ls_shape_count(&split->x.shape))),
                    std::vector<real>(rows.size())};
        EXPECT_TRUE(ls_dataset_read(data, id, rows.data(), long(rows.size()), nullptr, out.x.data(),
                                    out.y.data(), &error))
            << error.text;
        ls_dataset_close(data);
        return out;
    }
    void expect_refused(int code, const std::vector<std::string> &words)
    {
        EXPECT_FALSE(ls_import_synthetic(&plan, nullptr, &error));
        EXPECT_EQ(error.code, code);
        expect_words(error, words);
        EXPECT_EQ(entries(folder), size_t(0));
    }

    Folder folder;
    std::string output = folder / "glyphs.h5";
    ls_import plan = ls_import_presets;
    ls_error error = {};
};

TEST_F(ImportSynthetic, SplitsHaveTheRowsAndShapesAskedFor)
{
    make();
    ls_dataset *data = ls_dataset_open(output.c_str(), &error);
    ASSERT_NE(data, nullptr) << error.text;
    const long rows[] = {300, 20, 40};
    for (int id = 0; id < LS_SPLITS; id++) {
        const ls_split *split = ls_dataset_split(data, ls_split_id(id));
        EXPECT_EQ(split->x.rows, rows[id]);
        EXPECT_EQ(split->y.rows, rows[id]);
        EXPECT_EQ(split->classes, 10);
        EXPECT_EQ(split->x.type, LS_U8);
        EXPECT_EQ(split->x.shape.at[0], 16);
        EXPECT_EQ(split->x.shape.at[2], 1);
        EXPECT_DOUBLE_EQ(split->x.scale, 1.0 / 255);
    }
    ls_dataset_close(data);
}

TEST_F(ImportSynthetic, TheSameSeedGivesTheSameBytesAndAnotherSeedOthers)
{
    make();
    std::string first = read_file(output);
    make();
    EXPECT_EQ(read_file(output), first);
    plan.seed = 4;
    make();
    EXPECT_NE(read_file(output), first);
}

TEST_F(ImportSynthetic, MoreRowsLeaveTheFirstOnesAsTheyAre)
{
    make();
    Rows few = read(LS_TRAIN);
    plan.rows = 9000; /* more than a block */
    plan.test = 0;
    make();
    Rows many = read(LS_TRAIN);
    EXPECT_TRUE(std::equal(few.x.begin(), few.x.end(), many.x.begin()));
    EXPECT_TRUE(std::equal(few.y.begin(), few.y.end(), many.y.begin()));
}

TEST_F(ImportSynthetic, SplitsAndRowsDiffer)
{
    make();
    Rows train = read(LS_TRAIN), test = read(LS_TEST);
    EXPECT_FALSE(std::equal(test.x.begin(), test.x.end(), train.x.begin()));
    EXPECT_FALSE(std::equal(train.x.begin(), train.x.begin() + 256, train.x.begin() + 256));
}

/* Each class holds about its share, and each picture has ink: more than the noise alone. */
TEST_F(ImportSynthetic, EveryClassOfTwentyIsDrawnWithInk)
{
    plan.classes = 20;
    plan.rows = 4000;
    plan.size = 28;
    make();
    Rows train = read(LS_TRAIN);
    std::vector<int> count(20);
    for (real y : train.y)
        count[size_t(y)]++;
    for (int n : count)
        EXPECT_NEAR(n, 200, 60);
    for (size_t row = 0; row < train.y.size(); row++) {
        int ink = 0;
        for (size_t i = 0; i < 784; i++)
            ink += train.x[row * 784 + i] > real(0.4);
        EXPECT_GT(ink, 15) << "row " << row << ", class " << train.y[row];
        EXPECT_LT(ink, 400) << "row " << row << ", class " << train.y[row];
    }
}

/* Nothing is cut off: the frame of each picture holds noise only. */
TEST_F(ImportSynthetic, GlyphsStayInsideThePicture)
{
    plan.rows = 2000;
    plan.size = 28;
    make();
    Rows train = read(LS_TRAIN);
    int touching = 0;
    for (size_t row = 0; row < 2000; row++) {
        bool touches = false;
        for (size_t i = 0; i < 28; i++)
            for (size_t at : {i, 27 * 28 + i, i * 28, i * 28 + 27})
                touches = touches || train.x[row * 784 + at] > real(0.6);
        touching += touches;
    }
    EXPECT_LT(touching, 10); /* a thick one with two corners off may touch */
}

TEST_F(ImportSynthetic, SizesOutOfRangeAreRefusedAndLeaveNothing)
{
    plan.size = 11;
    expect_refused(LS_USAGE, {"size=11", "expected 12 to 512"});
    plan.size = 28;
    plan.classes = 21;
    expect_refused(LS_USAGE, {"classes=21", "expected 2 to 20"});
    plan.classes = 10;
    plan.rows = 0;
    expect_refused(LS_USAGE, {"rows=0"});
}

TEST_F(ImportSynthetic, AFileThatIsThereStaysWithoutForce)
{
    write_file(output, "mine");
    plan.force = false;
    EXPECT_FALSE(ls_import_synthetic(&plan, nullptr, &error));
    EXPECT_EQ(error.code, LS_USAGE);
    expect_words(error, {"glyphs.h5", "is there already", "--force"});
    EXPECT_EQ(read_file(output), "mine");
}

TEST_F(ImportSynthetic, AFolderThatIsNotThereIsAnIoError)
{
    std::string nowhere = folder / "none/glyphs.h5";
    plan.output = nowhere.c_str();
    expect_refused(LS_IO, {"none/glyphs.h5"});
}

} /* namespace */
