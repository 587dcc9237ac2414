/* The spec grammar and option tables: what is read, and what is refused with which words. */
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

extern "C" {
#include "core/spec.h"
#include "core/tensor.h"
}

namespace
{

const char *const colours[] = {"red", "green", NULL};

struct Options {
    long units;
    double rate;
    bool bias;
    int colour;
    char word[LS_WORD];
    ls_list widths;
    ls_reals means;
};

const ls_option table[] = {
    {"units", LS_OPTION_INT, offsetof(Options, units), NULL, 1, 1000, NULL, "how many"},
    {"rate", LS_OPTION_REAL, offsetof(Options, rate), "0.5", 0, 1, NULL, "how fast"},
    {"bias", LS_OPTION_BOOL, offsetof(Options, bias), "1", 0, 1, NULL, "with a bias"},
    {"colour", LS_OPTION_CHOICE, offsetof(Options, colour), "red", 0, 0, colours, "which"},
    {"word", LS_OPTION_WORD, offsetof(Options, word), "none", 0, 0, NULL, "any"},
    {"widths", LS_OPTION_LIST, offsetof(Options, widths), "1,2", 1, 100, NULL, "some"},
    {"means", LS_OPTION_REALS, offsetof(Options, means), "0", -1, 2, NULL, "some"},
    {NULL, LS_OPTION_INT, 0, NULL, 0, 0, NULL, NULL}};

std::string refusal(const char *line)
{
    ls_spec spec;
    Options options;
    ls_error error = {};
    if (ls_spec_parse(line, &spec, &error) && ls_spec_read(&spec, table, NULL, &options, &error))
        return "accepted";
    EXPECT_EQ(LS_USAGE, error.code);
    return error.text;
}

} /* namespace */

TEST(Spec, ReadsNameTypeInputsKeysAndComment)
{
    ls_spec spec;
    ls_error error;
    ASSERT_TRUE(ls_spec_parse("  c1: conv2d @a,input out=64\tkernel=3,5 # c2: x=1", &spec, &error))
        << error.text;
    EXPECT_STREQ("c1", spec.name);
    EXPECT_STREQ("conv2d", spec.type);
    ASSERT_EQ(2, spec.inputs);
    EXPECT_STREQ("a", spec.input[0]);
    EXPECT_STREQ("input", spec.input[1]);
    ASSERT_EQ(2, spec.keys);
    EXPECT_STREQ("kernel", spec.at[1].key);
    EXPECT_STREQ("3,5", spec.at[1].value);
}

TEST(Spec, EmptyLinesAndCommentsHaveNoType)
{
    ls_spec spec;
    for (const char *line : {"", "   ", "# all comment", " \t # x=1\nnext: line"}) {
        ASSERT_TRUE(ls_spec_parse(line, &spec, NULL));
        EXPECT_STREQ("", spec.type) << line;
    }
}

TEST(Spec, StopsAtTheLinesEnd)
{
    ls_spec spec;
    ASSERT_TRUE(ls_spec_parse("dense units=3\nrelu", &spec, NULL));
    EXPECT_EQ(1, spec.keys);
}

TEST(Spec, FillsAStructFromPresetsAndKeys)
{
    ls_spec spec;
    Options options = {};
    ls_error error;
    ASSERT_TRUE(ls_spec_parse("t units=7 colour=green widths=4,5,6 means=-.5,1e-3", &spec, &error));
    ASSERT_TRUE(ls_spec_read(&spec, table, NULL, &options, &error)) << error.text;
    EXPECT_EQ(7, options.units);
    EXPECT_EQ(0.5, options.rate);
    EXPECT_TRUE(options.bias);
    EXPECT_EQ(1, options.colour);
    EXPECT_STREQ("none", options.word);
    ASSERT_EQ(3, options.widths.count);
    EXPECT_EQ(6, options.widths.at[2]);
    ASSERT_EQ(2, options.means.count);
    EXPECT_EQ(-0.5, options.means.at[0]);
    EXPECT_EQ(0.001, options.means.at[1]);
}

TEST(Spec, RefusesWithWordsThatHelp)
{
    EXPECT_EQ("t needs units= (how many)", refusal("t"));
    EXPECT_EQ("t has no key unit: did you mean units? (known: units, rate, bias, colour, word, "
              "widths, means)",
              refusal("t unit=3"));
    EXPECT_EQ("t: units=12x is not a whole number", refusal("t units=12x"));
    EXPECT_EQ("t: units=1e3 is not a whole number", refusal("t units=1e3"));
    EXPECT_EQ("t: units=99999999999999999999 is not a whole number",
              refusal("t units=99999999999999999999"));
    EXPECT_EQ("t: units=0 is out of range: 1 to 1000", refusal("t units=0"));
    EXPECT_EQ("t: rate=0.5.1 is not a number", refusal("t units=1 rate=0.5.1"));
    EXPECT_EQ("t: rate=nan is not a number", refusal("t units=1 rate=nan"));
    EXPECT_EQ("t: rate=0x1 is not a number", refusal("t units=1 rate=0x1"));
    EXPECT_EQ("t: rate=2 is out of range: 0 to 1", refusal("t units=1 rate=2"));
    EXPECT_EQ("t: bias=yes: write 0 or 1", refusal("t units=1 bias=yes"));
    EXPECT_EQ("t: colour=gren is not known: did you mean green? (known: red, green)",
              refusal("t units=1 colour=gren"));
    EXPECT_EQ("units= is given twice", refusal("t units=1 units=2"));
    EXPECT_EQ("units=: the value is missing", refusal("t units="));
    EXPECT_EQ("'units=3' stands before any type: write TYPE key=value", refusal("units=3"));
    EXPECT_EQ("'extra' is neither key=value nor @input (after type t)", refusal("t extra"));
    EXPECT_EQ("the name 'a/b' holds '/': use letters, digits, '_' and '-'", refusal("a/b: t"));
    EXPECT_EQ("no type after 'a'", refusal("a:"));
    EXPECT_EQ("an input's name after @ is missing", refusal("t @"));
    EXPECT_EQ("an input's name after @ is missing", refusal("t @a,"));
    EXPECT_EQ("an input's name after @ is missing", refusal("t @,a"));
}

TEST(Spec, BadListMembersAreRefused)
{
    EXPECT_EQ("t: widths=5x is not a whole number", refusal("t units=1 widths=3,5x"));
    EXPECT_EQ("t: widths=101 is out of range: 1 to 100", refusal("t units=1 widths=101,3"));
    EXPECT_EQ("t: means=inf is not a number", refusal("t units=1 means=1,inf"));
    EXPECT_EQ("t: means=2.5 is out of range: -1 to 2", refusal("t units=1 means=2.5"));
    EXPECT_EQ("t: means=1, has an empty place", refusal("t units=1 means=1,"));
    EXPECT_NE("accepted", refusal("t units=1 widths=3,,4"));
    EXPECT_NE("accepted", refusal("t units=1 widths=3,"));
    EXPECT_NE("accepted", refusal("t units=1 widths=,3"));
}

TEST(Spec, ReadsShapes)
{
    ls_shape shape = {};
    ls_error error = {};
    ASSERT_TRUE(ls_shape_parse("--input", "28,27,1", &shape, &error)) << error.text;
    EXPECT_EQ(3, shape.rank);
    EXPECT_EQ(27, shape.at[1]);
    EXPECT_FALSE(ls_shape_parse("--input", "28x28", &shape, &error));
    EXPECT_FALSE(ls_shape_parse("--input", "28,0", &shape, &error));
    EXPECT_FALSE(ls_shape_parse("--input", "1,2,3,4,5,6,7", &shape, &error));
    EXPECT_STREQ("--input: at most 6 numbers, found 7", error.text);
}

TEST(Spec, FindsTheEntryOfATable)
{
    struct Entry {
        const char *name;
        int value;
    } table[] = {{"cross-entropy", 1}, {"bce", 2}, {NULL, 0}};
    ls_error error = {};
    EXPECT_EQ(&table[1], ls_spec_find_entry(table, sizeof *table, "bce", "loss", "losses", &error));
    EXPECT_EQ(NULL, ls_spec_find_entry(table, sizeof *table, "bcd", "loss", "losses", &error));
    EXPECT_STREQ("there is no loss bcd: did you mean bce? (`lockstep list losses` has all)",
                 error.text);
}

TEST(Spec, NearestFindsSlipsButNotStrangers)
{
    const char *names[] = {"momentum", "adam", "rmsprop"};
    EXPECT_STREQ("momentum", ls_nearest("momentun", names, 3, sizeof *names));
    EXPECT_STREQ("adam", ls_nearest("Adam", names, 3, sizeof *names));
    EXPECT_EQ(NULL, ls_nearest("zebra", names, 3, sizeof *names));
    const char *const ours[] = {"bce", "squared-error", "rate"};
    EXPECT_STREQ("squared-error", ls_nearest("mse", ours, 3, sizeof *ours));
    EXPECT_STREQ("rate", ls_nearest("lr", ours, 3, sizeof *ours));
    EXPECT_EQ(NULL, ls_nearest("sigmoid", ours, 3, sizeof *ours));
}

TEST(Spec, SurvivesAnyLine)
{
    unsigned state = 1;
    const char letters[] = "ab=,@:# \t0.-\n\xc3";
    for (int round = 0; round < 20000; round++) {
        std::string line;
        for (unsigned i = 0; i < state % 40; i++) {
            state = state * 1664525u + 1013904223u;
            line += letters[(state >> 16) % (sizeof letters - 1)];
        }
        state = state * 1664525u + 1013904223u;
        refusal(line.c_str());
    }
}
