/* ls_weights_save: a file of weights, with its .ok, that loads into the same parameters. */
#include "data_files.h"
#include "small_state.h"

extern "C" {
#include "io/checkpoint/checksum.h"
}

using namespace data_files;

namespace
{

class Weights : public testing::Test
{
  protected:
    Weights()
    {
        ours.fill(3);
        theirs.fill(9);
    }
    Folder folder;
    std::string path = folder / "weights.h5";
    SmallState ours, theirs;
    ls_error error = {};
};

TEST_F(Weights, LoadsWhatWasSavedAndReplacesWhatStoodThere)
{
    for (long step : {3, 4, 5}) { /* the second and third replace */
        ours.fill(step);
        ASSERT_TRUE(ls_weights_save(path.c_str(), ours.params, &error)) << error.text;
        EXPECT_TRUE(opens(path, &error)) << error.text;
        ASSERT_TRUE(theirs.load_weights(path, &error)) << error.text;
        EXPECT_TRUE(ours.values_equal(theirs));
        EXPECT_EQ(entries(folder), size_t(2)); /* the file and its .ok */
    }
}

TEST_F(Weights, TheFileIsOfWeightsOnlyAndLoadsWithoutItsOk)
{
    ASSERT_TRUE(ls_weights_save(path.c_str(), ours.params, &error)) << error.text;
    ls_checkpoint *file = ls_checkpoint_open(path.c_str(), &error);
    ASSERT_TRUE(file) << error.text;
    EXPECT_TRUE(file->weights_only);
    ls_checkpoint_close(file);
    std::filesystem::remove(folder / "weights.ok");
    ASSERT_TRUE(theirs.load_weights(path, &error)) << error.text;
    EXPECT_TRUE(ours.values_equal(theirs));
}

TEST_F(Weights, AFlippedBitIsNoticed)
{
    ASSERT_TRUE(ls_weights_save(path.c_str(), ours.params, &error)) << error.text;
    std::string bytes = read_file(path);
    bytes[bytes.size() / 2] ^= 1;
    write_file(path, bytes);
    EXPECT_FALSE(theirs.load_weights(path, &error));
    EXPECT_EQ(error.code, LS_DATA);
    expect_words(error, {"weights.h5"});
}

TEST_F(Weights, NumbersThatAreNotFiniteAreNotLoaded)
{
    ours.values[size_t(ours.params->slots[2].offset) + 5] = real(NAN);
    ASSERT_TRUE(ls_weights_save(path.c_str(), ours.params, &error)) << error.text;
    EXPECT_FALSE(theirs.load_weights(path, &error));
    EXPECT_EQ(error.code, LS_DATA);
    expect_words(error, {"weights.h5: model/net/fc/weight holds nan at place 5", "finite"});
}

TEST_F(Weights, AFolderThatIsNotThereIsAnIoError)
{
    std::string nowhere = folder / "none/weights.h5";
    EXPECT_FALSE(ls_weights_save(nowhere.c_str(), ours.params, &error));
    EXPECT_EQ(error.code, LS_IO);
    expect_words(error, {"none/weights.h5"});
}

} /* namespace */
