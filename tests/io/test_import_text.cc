/* import text: tokens, their numbers and their splits are those of a direct count; what is not text
 * is refused with its place; vocabularies come back, and damaged ones do not. */
#include <algorithm>
#include <map>
#include <numeric>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/dataset.h"
#include "io/import/import.h"
#include "io/output.h"
}

using namespace data_files;

namespace
{

class ImportText : public testing::Test
{
  protected:
    ImportText()
    {
        plan.output = output.c_str();
        plan.force = true;
    }
    /* Imports these texts, a file each. */
    bool make(const std::vector<std::string> &texts)
    {
        names.clear();
        for (size_t i = 0; i < texts.size(); i++) {
            names.push_back(folder / ("text" + std::to_string(i) + ".txt"));
            write_file(names.back(), texts[i]);
        }
        for (size_t i = 0; i < LS_IMPORT_FILES; i++)
            plan.file[i] = i < names.size() ? names[i].c_str() : nullptr;
        return ls_import_text(&plan, nullptr, &error);
    }
    /* The text of a split: its tokens by the vocabulary, with `between` behind each. */
    std::string read(ls_split_id id, const std::string &between = "")
    {
        ls_dataset *data = ls_dataset_open(output.c_str(), &error);
        EXPECT_NE(data, nullptr) << error.text;
        const ls_vocabulary *v = ls_dataset_vocabulary(data);
        const ls_split *split = ls_dataset_split(data, id);
        std::string text;
        if (split->present) {
            std::vector<int64_t> rows(size_t(split->x.rows));
            std::vector<real> x(rows.size());
            std::iota(rows.begin(), rows.end(), 0);
            EXPECT_TRUE(ls_dataset_read(data, id, rows.data(), long(rows.size()), nullptr, x.data(),
                                        nullptr, &error))
                << error.text;
            for (real token : x)
                text +=
                    std::string(v->token[long(token)].bytes, v->token[long(token)].size) + between;
            type = split->x.type;
        }
        ls_dataset_close(data);
        return text;
    }
    std::vector<std::string> vocabulary()
    {
        ls_dataset *data = ls_dataset_open(output.c_str(), &error);
        const ls_vocabulary *v = ls_dataset_vocabulary(data);
        std::vector<std::string> tokens;
        for (long i = 0; i < v->count; i++)
            tokens.emplace_back(v->token[i].bytes, v->token[i].size);
        unknown = v->unknown;
        ls_dataset_close(data);
        return tokens;
    }
    void expect_refused(const std::vector<std::string> &texts, int code,
                        const std::vector<std::string> &words)
    {
        std::filesystem::remove(output);
        EXPECT_FALSE(make(texts));
        EXPECT_EQ(error.code, code);
        expect_words(error, words);
        EXPECT_FALSE(std::filesystem::exists(output));
    }

    Folder folder;
    std::string output = folder / "text.h5";
    std::vector<std::string> names;
    ls_import plan = ls_import_presets;
    ls_error error;
    ls_dtype type;
    long unknown;
};

using Tokens = std::vector<std::string>;

TEST_F(ImportText, CharactersComeBackAndTheMostFrequentIsFirst)
{
    const std::string text = "h\xc3\xa9llo, w\xc3\xb6rld\n\\ \xe2\x82\xac \xf0\x9f\x98\x80 lll\n";
    ASSERT_TRUE(make({text})) << error.text;
    EXPECT_EQ(read(LS_TRAIN), text);
    EXPECT_EQ(type, LS_U8);
    Tokens tokens = vocabulary();
    EXPECT_EQ(Tokens(tokens.begin(), tokens.begin() + 4), Tokens({"l", " ", "\n", ","}));
    EXPECT_EQ(tokens.size(), size_t(14));
    EXPECT_EQ(unknown, -1);
}

TEST_F(ImportText, CarriageReturnAndLineFeedAreOneLineBreakButForBytes)
{
    ASSERT_TRUE(make({"a\r\nb\r\n", "\rc\r\r\n"})) << error.text;
    EXPECT_EQ(read(LS_TRAIN), "a\nb\n\rc\r\n");
    plan.level = "byte";
    ASSERT_TRUE(make({"a\r\nb\r\n"})) << error.text;
    EXPECT_EQ(read(LS_TRAIN), "a\r\nb\r\n");
}

TEST_F(ImportText, TheByteZeroIsInNoText)
{
    for (const char *level : {"char", "word"}) {
        plan.level = level;
        EXPECT_FALSE(make({std::string("ab\0c", 4)}));
        EXPECT_NE(std::string(error.text)
                      .find("byte 2 (0x00) is in no text; expected text in UTF-8: "
                            "convert it (iconv -f UTF-16 -t UTF-8)"),
                  std::string::npos)
            << error.text;
    }
}

TEST_F(ImportText, WordsStandBetweenWhiteSpaceAndLineBreaksAreTokens)
{
    plan.level = "word";
    ASSERT_TRUE(make({" the cat\t the\r\n", "end\n\nof", "it"})) << error.text;
    EXPECT_EQ(read(LS_TRAIN, "|"), "the|cat|the|\n|end|\n|\n|of|it|");
    EXPECT_EQ(vocabulary(), Tokens({"\n", "the", "cat", "end", "it", "of"}));
}

TEST_F(ImportText, BytesTakeAnything)
{
    std::string text(1000, 0);
    for (size_t i = 0; i < text.size(); i++)
        text[i] = char(i * i % 256);
    plan.level = "byte";
    ASSERT_TRUE(make({text})) << error.text;
    EXPECT_EQ(read(LS_TRAIN), text);
}

TEST_F(ImportText, RareWordsBecomeTheUnknownToken)
{
    plan.level = "word";
    plan.vocabulary = "2";
    ASSERT_TRUE(make({"a b b c c c d"})) << error.text;
    EXPECT_EQ(vocabulary(), Tokens({"c", "b", LS_VOCABULARY_UNKNOWN}));
    EXPECT_EQ(unknown, 2);
    EXPECT_EQ(read(LS_TRAIN, " "), "<unk> b b c c c <unk> ");
    ASSERT_TRUE(make({"a <unk> b <unk> c <unk> b"})) << error.text; /* a text that has it */
    EXPECT_EQ(vocabulary(), Tokens({"<unk>", "b"}));
    EXPECT_EQ(unknown, 0);
    plan.vocabulary = "9";
    ASSERT_TRUE(make({"a b b"})) << error.text;
    EXPECT_EQ(vocabulary(), Tokens({"b", "a"}));
    EXPECT_EQ(unknown, -1);
    ASSERT_TRUE(make({"a <unk> b b"})) << error.text; /* others have cut it: Penn Treebank */
    EXPECT_EQ(vocabulary(), Tokens({"b", "<unk>", "a"}));
    EXPECT_EQ(unknown, 1);
}

TEST_F(ImportText, SplitsByPlaceOrByFile)
{
    const std::string text = "0123456789abcdefghij";
    plan.valid = 4;
    plan.test_share = 0.1;
    ASSERT_TRUE(make({text})) << error.text;
    EXPECT_EQ(read(LS_TRAIN) + "|" + read(LS_VALID) + "|" + read(LS_TEST),
              "0123456789abcd|efgh|ij");
    plan.valid = 0;
    plan.test_share = 0;
    plan.test_files = 2;
    plan.valid_files = 1;
    ASSERT_TRUE(make({text, "klm", "nop", "qr", "stuv"})) << error.text;
    EXPECT_EQ(read(LS_TRAIN) + "|" + read(LS_VALID) + "|" + read(LS_TEST), text + "klm|nop|qrstuv");
    plan.valid_files = 0;
    plan.valid = 5;
    ASSERT_TRUE(make({text, "klm", "nop", "qr", "stuv"})) << error.text;
    EXPECT_EQ(read(LS_VALID) + "|" + read(LS_TEST), "lmnop|qrstuv");
}

TEST_F(ImportText, TokensAcrossTheReadersBlocksStayWhole)
{
    std::string text;
    std::map<std::string, long> count;
    uint32_t state = 1;
    while (text.size() < (5 << 20)) {
        state = state * 1664525 + 1013904223;
        std::string word(1 + (state >> 24) % 40, char('a' + (state >> 16) % 26));
        if (state >> 28 == 3)
            word += "\xe2\x82\xac";
        count[word]++;
        text += word + ((state >> 10) % 8 ? " " : "\n");
        count["\n"] += !((state >> 10) % 8);
    }
    plan.level = "word";
    ASSERT_TRUE(make({text})) << error.text;
    Tokens tokens = vocabulary(), expected;
    for (const auto &[word, times] : count)
        expected.push_back(word);
    std::stable_sort(expected.begin(), expected.end(),
                     [&](const auto &a, const auto &b) { return count[a] > count[b]; });
    EXPECT_EQ(tokens, expected);
    std::string back = read(LS_TRAIN, " "), spaced;
    for (char c : text)
        spaced += c == '\n' ? std::string(" \n ") : std::string(1, c);
    EXPECT_EQ(back, spaced);
    EXPECT_EQ(type, LS_U16);
    plan.level = "char";
    ASSERT_TRUE(make({text})) << error.text;
    EXPECT_EQ(read(LS_TRAIN), text);
}

TEST_F(ImportText, AnotherFilesVocabularyNumbersTheSameTokens)
{
    plan.level = "word";
    plan.vocabulary = "3";
    const std::string first = folder / "first.h5";
    plan.output = first.c_str();
    ASSERT_TRUE(make({"a b b c c c d e"})) << error.text;
    plan.output = output.c_str();
    plan.vocabulary = first.c_str();
    plan.level = nullptr;
    ASSERT_TRUE(make({"d c zz b"})) << error.text;
    EXPECT_EQ(vocabulary(), Tokens({"c", "b", "a", "<unk>"}));
    EXPECT_EQ(read(LS_TRAIN, " "), "<unk> c <unk> b ");
    plan.level = "char";
    expect_refused({"d c"}, LS_USAGE, {"--level=char", "first.h5", "word"});
}

TEST_F(ImportText, WhatIsNoTextIsNamed)
{
    const std::string bad[] = {"\x80",     "\xc3(", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                               "\xe2\x82", "\xff"};
    for (const std::string &bytes : bad)
        for (const char *level : {"char", "word"}) {
            plan.level = level;
            expect_refused({"good", std::string(2000000, 'x')
                                            .replace(1000, 1, " ")
                                            .replace(1001, 1998000,
                                                     std::string(999000, 'y') + " " +
                                                         std::string(998999, ' ')) +
                                        bytes},
                           LS_DATA, {"text1.txt"});
        }
    plan.level = "char";
    expect_refused({"good", "ab\xc3(c"}, LS_DATA, {"text1.txt", "byte 2 (0xc3)", "--level byte"});
    expect_refused({"good", ""}, LS_DATA, {"text1.txt", "is empty"});
    expect_refused({"a"}, LS_DATA, {"of 1 tokens 1 are for train", "at least 2"});
    plan.valid = 1;
    expect_refused({"abcd"}, LS_DATA, {"of 4 tokens 1 are for valid"});
    plan.valid = 0;
    plan.level = "word";
    expect_refused({"a " + std::string(5000, 'b')}, LS_DATA, {"word at byte 2", "4096"});
    plan.level = "chars";
    expect_refused({"abc"}, LS_USAGE, {"--level=chars", "char, byte, word"});
}

/* A data set of two tokens with such a vocabulary. */
class Vocabulary : public testing::Test
{
  protected:
    bool opens(const std::string &text, const char *level, long unknown)
    {
        hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        const uint8_t x[] = {0, 1};
        hsize_t two = 2, size = text.size();
        EXPECT_TRUE(
            ls_h5_write(file, "train/x", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, &two, x, &error));
        EXPECT_TRUE(ls_h5_write(file, "vocabulary", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, &size,
                                text.data(), &error));
        hid_t data = H5Dopen2(file, "vocabulary", H5P_DEFAULT);
        EXPECT_TRUE(!level || ls_h5_put_text(data, "level", level, &error));
        EXPECT_TRUE(ls_h5_put_long(data, "unknown", unknown, &error));
        H5Dclose(data);
        H5Fclose(file);
        error.text[0] = 0;
        ls_dataset *opened = ls_dataset_open(path.c_str(), &error);
        ls_dataset_close(opened);
        EXPECT_TRUE(opened || error.code == LS_DATA);
        return opened;
    }

    Folder folder;
    std::string path = folder / "words.h5";
    ls_error error;
};

TEST_F(Vocabulary, OnlyWhatImportWritesIsRead)
{
    EXPECT_TRUE(opens("a\nb\n", "char", -1)) << error.text;
    EXPECT_TRUE(opens("a\n<unk>\n", "char", 1)) << error.text;
    EXPECT_TRUE(opens("\\x0a\n\\xff\n", "byte", -1)) << error.text;
    EXPECT_TRUE(opens("two\nwords\\x5c\n", "word", 0)) << error.text;
    const struct {
        const char *text, *level;
        long unknown;
    } bad[] = {{"a\nb\n", "line", -1},       {"a\nb\n", nullptr, -1},    {"a\nb\n", "char", 2},
               {"a\nb\n", "char", -2},       {"a\nb", "char", -1},       {"a\n\n", "char", -1},
               {"ab\nc\n", "char", -1},      {"a\na\n", "char", -1},     {"a\n\\x61\n", "char", -1},
               {"a\n\\x6\n", "char", -1},    {"a\n\\q61\n", "char", -1}, {"a\n\\\n", "char", -1},
               {"a\n\xff\n", "char", -1},    {"ab\nc\n", "byte", -1},    {"a b\nc\n", "word", -1},
               {"a\nb\\x0ac\n", "word", -1}, {"\\x20\nc\n", "word", -1}};
    for (const auto &b : bad)
        EXPECT_FALSE(opens(b.text, b.level, b.unknown)) << b.text << " " << b.unknown;
    EXPECT_FALSE(opens("a\n" + std::string(5000, 'b') + "\n", "word", -1));
    EXPECT_FALSE(opens("a\nb\n", "char", 99));
    expect_words(error, {"/vocabulary has unknown=99", "0 to 1", "-1"});
    EXPECT_FALSE(opens("a\n\\q61\n", "char", -1));
    expect_words(error, {"a line for each of", "1 of 2 lines are such"});
}

TEST_F(Vocabulary, TheFirstDifferenceIsNamed)
{
    const ls_token ab[] = {{"a", 1}, {"b", 1}}, ac[] = {{"a", 1}, {"c", 1}};
    ls_vocabulary *one = ls_vocabulary_create(LS_VOCABULARY_CHAR, ab, 2, -1);
    ls_vocabulary *two = ls_vocabulary_create(LS_VOCABULARY_CHAR, ac, 2, -1);
    ls_vocabulary *few = ls_vocabulary_create(LS_VOCABULARY_CHAR, ab, 1, -1);
    EXPECT_TRUE(ls_vocabulary_same("x", one, "y", one, &error));
    EXPECT_TRUE(ls_vocabulary_same("x", one, "y", nullptr, &error));
    EXPECT_FALSE(ls_vocabulary_same("x", one, "y", two, &error));
    expect_words(error, {"x has a vocabulary of 2 characters, of which token 1 is 'b'",
                         "y has one of 2 characters, of which token 1 is 'c'"});
    EXPECT_FALSE(ls_vocabulary_same("x", few, "y", one, &error));
    expect_words(error, {"x has a vocabulary of 1 characters, of which token 1 is nothing"});
    EXPECT_EQ(ls_vocabulary_find(two, ls_token{"c", 1}), 1);
    EXPECT_EQ(ls_vocabulary_find(two, ls_token{"b", 1}), -1);
    for (ls_vocabulary *v : {one, two, few})
        ls_vocabulary_destroy(v);
}

} /* namespace */
