/* listing: the order of files, their classes, and splits that no other file moves. */
#include <cmath>
#include <fstream>
#include <map>
#include <sys/stat.h>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/import/listing.h"
}

using namespace data_files;

namespace
{

class Listing : public testing::Test
{
  protected:
    ~Listing() override
    {
        ls_listing_release(&files);
    }
    void write(const std::string &path, const std::string &text = "")
    {
        for (size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1))
            mkdir((folder / path.substr(0, at)).c_str(), 0755);
        std::ofstream(folder / path) << text;
    }
    bool make(const std::string &first, const std::string &second = "")
    {
        a = folder / first;
        b = folder / second;
        plan.file[0] = a.c_str();
        plan.file[1] = second.empty() ? nullptr : b.c_str();
        ls_listing_release(&files);
        char *text = nullptr;
        size_t size;
        FILE *report = open_memstream(&text, &size);
        const bool ok = ls_listing_make(&files, &plan, report, &error);
        fclose(report);
        said = text;
        free(text);
        return ok;
    }
    /* "name=label" of each file. */
    std::vector<std::string> listed()
    {
        std::vector<std::string> all;
        for (long i = 0; i < files.count; i++)
            all.push_back(files.names + files.file[i].name +
                          ("=" + std::to_string(files.file[i].label)));
        return all;
    }
    void expect_refused(int code, const std::vector<std::string> &words)
    {
        EXPECT_EQ(error.code, code);
        expect_words(error, words);
    }

    using Names = std::vector<std::string>;
    Folder folder;
    std::string a, b, said;
    ls_import plan = ls_import_presets;
    ls_listing files = {};
    ls_error error = {};
};

} /* namespace */

TEST_F(Listing, FoldersAreClassesInTheOrderOfTheirNames)
{
    for (const char *path : {"d/b/2", "d/b/deep/1", "d/10/x", "d/9/x", "d/a b/x", "d/b/.hidden",
                             "d/.git/x", "d/loose"})
        write(path);
    mkdir((folder / "d/empty").c_str(), 0755);
    ASSERT_TRUE(make("d")) << error.text;
    EXPECT_EQ(listed(), (Names{"10/x=1", "9/x=0", "a b/x=2", "b/2=3", "b/deep/1=3"}));
    EXPECT_EQ(files.classes, 4);
    EXPECT_STREQ(files.class_name[0], "9");
    EXPECT_STREQ(files.class_name[2], "a b");
}

TEST_F(Listing, AFolderWithoutFoldersHasNoLabels)
{
    write("d/2");
    write("d/1");
    ASSERT_TRUE(make("d")) << error.text;
    EXPECT_EQ(listed(), (Names{"1=-1", "2=-1"}));
    EXPECT_EQ(files.classes, 0);
    plan.labels_from = 1;
    EXPECT_FALSE(make("d"));
    expect_refused(LS_USAGE, {"d: --labels-from is for labels that are numbers"});
}

TEST_F(Listing, AListKeepsItsOrderAndNumbers)
{
    write("l", "b 3\n\na\t1\r\nwith space 2");
    ASSERT_TRUE(make("l")) << error.text;
    EXPECT_EQ(listed(), (Names{"b=3", "a=1", "with space=2"}));
    EXPECT_EQ(files.classes, 4);
    EXPECT_EQ(files.class_name, nullptr);
    plan.labels_from = 1;
    ASSERT_TRUE(make("l")) << error.text;
    EXPECT_EQ(listed(), (Names{"b=2", "a=0", "with space=1"}));
    plan.labels_from = 2;
    EXPECT_FALSE(make("l"));
    expect_refused(LS_DATA, {"l: a has label 1; expected none below --labels-from 2"});
}

TEST_F(Listing, LabelsOfAListMayBeWords)
{
    write("l", "x\tdog\ny\t2\nz\tcat\n");
    ASSERT_TRUE(make("l")) << error.text;
    EXPECT_EQ(listed(), (Names{"x=2", "y=0", "z=1"}));
    plan.labels_from = 1;
    EXPECT_FALSE(make("l"));
    expect_refused(LS_USAGE, {"--labels-from is for labels that are numbers"});
}

TEST_F(Listing, LabelsThatAreOtherNumbersAreNamesWithANote)
{
    write("l", "x 1\ny -1\nz 1\n");
    ASSERT_TRUE(make("l")) << error.text;
    EXPECT_EQ(listed(), (Names{"x=1", "y=0", "z=1"}));
    EXPECT_NE(said.find("labels are numbers, but not all are whole, from 0 to 16777215"), said.npos)
        << said;
    EXPECT_NE(said.find("of which -1 is class 0 and 1 class 1"), said.npos) << said;
    write("m", "x 1\ny no\n");
    ASSERT_TRUE(make("m")) << error.text;
    EXPECT_EQ(said, "");
}

TEST_F(Listing, AMarkOfByteOrderIsNoPartOfTheFirstName)
{
    write("a.wav");
    write("l", "\xef\xbb\xbf"
               "a.wav 3\nb.wav 1\n");
    ASSERT_TRUE(make("l")) << error.text;
    EXPECT_EQ(listed(), (Names{"a.wav=3", "b.wav=1"}));
    write("m", "\xef\xbb\xbf"
               "a.wav\n");
    ASSERT_TRUE(make("m")) << error.text;
    EXPECT_EQ(listed(), (Names{"a.wav=-1"}));
}

TEST_F(Listing, AFileBehindANameIsRefused)
{
    write("a.wav");
    write("l", "utt1 a.wav\nutt2 b.wav\n");
    EXPECT_FALSE(make("l"));
    expect_refused(LS_DATA, {"l:1: a.wav is a file and utt1 is none", "the file first"});
}

TEST_F(Listing, AListWhoseFirstLineIsAFileHasNoLabels)
{
    write("odd name");
    write("l", "odd name\nabsent one\n/x\n");
    ASSERT_TRUE(make("l")) << error.text;
    EXPECT_EQ(listed(), (Names{"odd name=-1", "absent one=-1", "/x=-1"}));
    char *path = ls_listing_path(&files, 0), *absolute = ls_listing_path(&files, 2);
    EXPECT_EQ(std::string(path), folder / "odd name");
    EXPECT_STREQ(absolute, "/x");
    ls_free(path);
    ls_free(absolute);
}

TEST_F(Listing, ASecondRootIsAllTestAndHasTheClassesOfTheFirst)
{
    for (const char *path : {"d/a/1", "d/b/1", "t/b/1", "u/c/1", "v/1"})
        write(path);
    ASSERT_TRUE(make("d", "t")) << error.text;
    EXPECT_EQ(listed(), (Names{"a/1=0", "b/1=1", "b/1=1"}));
    EXPECT_EQ(files.file[2].split, LS_TEST);
    EXPECT_FALSE(make("d", "u"));
    expect_refused(LS_DATA, {"c/1 is of the class 'c', which", "one of its 2 classes"});
    EXPECT_FALSE(make("d", "v"));
    expect_refused(LS_DATA, {"v: its files have no labels, but those of", "have some"});
}

TEST_F(Listing, RefusesWhatIsNoListOrFolder)
{
    write("png", "\211PNG\r\n");
    EXPECT_FALSE(make("png"));
    expect_refused(LS_DATA, {"png: is a PNG picture; expected a folder, or a list"});
    write("zero", std::string("a\0b", 3));
    EXPECT_FALSE(make("zero"));
    expect_refused(LS_DATA, {"zero: is no text: it holds a zero byte"});
    write("half", "a 1\nb\n");
    EXPECT_FALSE(make("half"));
    expect_refused(LS_DATA, {"half:2: 'b' has no label"});
    write("blank", "\n\n");
    EXPECT_FALSE(make("blank"));
    expect_refused(LS_DATA, {"blank: there are no files in it"});
    EXPECT_FALSE(make("absent"));
    expect_refused(LS_DATA, {"absent: can't open"});
    write("d/a\nb/1");
    EXPECT_FALSE(make("d"));
    expect_refused(LS_DATA, {"the name of a class holds a line break"});
    std::string deep = "e/";
    for (int i = 0; i < 20; i++)
        deep += "f/";
    write(deep + "1");
    EXPECT_FALSE(make("e"));
    expect_refused(LS_DATA, {"folders lie in folders 16 deep"});
}

/* The shares of the classes are as asked for, to 5 standard deviations of 2000 files; a file that
 * is added moves no other, and valid does not move test. */
TEST_F(Listing, SplitsGoByTheNameAlone)
{
    std::string list;
    for (int i = 0; i < 6000; i++)
        list += "picture " + std::to_string(i) + "\t" + "abc"[i % 3] + "\n";
    write("l", list);
    plan.valid_share = 0.2;
    plan.test_share = 0.1;
    ASSERT_TRUE(make("l")) << error.text;
    std::map<std::string, int> before;
    std::vector<std::vector<double>> share(3, std::vector<double>(LS_SPLITS));
    for (long i = 0; i < files.count; i++) {
        before[files.names + files.file[i].name] = files.file[i].split;
        share[size_t(files.file[i].label)][files.file[i].split] += 1.0 / 2000;
    }
    for (const std::vector<double> &of : share) {
        EXPECT_NEAR(of[LS_VALID], 0.2, 5 * std::sqrt(0.2 * 0.8 / 2000));
        EXPECT_NEAR(of[LS_TEST], 0.1, 5 * std::sqrt(0.1 * 0.9 / 2000));
    }
    write("l", "a new one\ta\n" + list + "another\td\n");
    plan.valid_share = 0.3;
    ASSERT_TRUE(make("l")) << error.text;
    for (long i = 1; i + 1 < files.count; i++) {
        int was = before[files.names + files.file[i].name], is = files.file[i].split;
        EXPECT_TRUE(is == was || (was == LS_TRAIN && is == LS_VALID));
    }
    plan.seed = 2;
    ASSERT_TRUE(make("l")) << error.text;
    int moved = 0;
    for (long i = 1; i + 1 < files.count; i++)
        moved += before[files.names + files.file[i].name] != files.file[i].split;
    EXPECT_GT(moved, 1000);
}
