/* What a terminal would obey is escaped in messages and listings; text that it only shows is not.
 */
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" {
#include "core/check.h"
#include "core/print.h"
#include "core/safe_text.h"
}

namespace
{

std::string safe(const std::string &text)
{
    char out[256];
    size_t length = ls_safe_text(out, sizeof out, text.data(), text.size());
    EXPECT_EQ(length, std::string(out).size());
    return out;
}

template <typename... Values> std::string printed(const char *format, Values... values)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ls_print(out, format, values...);
    fclose(out);
    std::string result(text, size);
    free(text);
    return result;
}

TEST(SafeText, TextInAnyLanguageStays)
{
    for (const char *text : {"", "plain \\x1b", "größe ☃ 漢字 🙂", "\u00a0", "שלום"})
        EXPECT_EQ(safe(text), text);
}

TEST(SafeText, EveryControlCharacterIsEscaped)
{
    for (int c = 0; c < 0x100; c++) {
        char escape[8];
        snprintf(escape, sizeof escape, "\\x%02x", c);
        bool shown = c >= 0x20 && c < 0x7f;
        if (c == '\n' || c == '\t' || c == '\r')
            snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        std::string byte(1, (char)c); /* above 0x7f a single byte is no UTF-8 */
        EXPECT_EQ(safe("a" + byte + "b"), "a" + (shown ? byte : escape) + "b");
    }
    for (int c = 0x80; c < 0xa0; c++) {
        char escape[16];
        snprintf(escape, sizeof escape, "\\xc2\\x%02x", c);
        EXPECT_EQ(safe(std::string("\xc2") + (char)c), escape);
    }
    EXPECT_EQ(safe("\u2028\u202e"), "\\xe2\\x80\\xa8\\xe2\\x80\\xae");
}

TEST(SafeText, WhatIsNoUtf8IsEscaped)
{
    EXPECT_EQ(safe("\xff"), "\\xff");
    EXPECT_EQ(safe("\xe2\x98"), "\\xe2\\x98");                   /* cut short */
    EXPECT_EQ(safe("\xc0\x9b"), "\\xc0\\x9b");                   /* 0x1b in two bytes */
    EXPECT_EQ(safe("\xe0\x82\x9b"), "\\xe0\\x82\\x9b");          /* U+009B in three */
    EXPECT_EQ(safe("\xed\xa0\x80"), "\\xed\\xa0\\x80");          /* half of a UTF-16 pair */
    EXPECT_EQ(safe("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); /* above the last character */
}

TEST(SafeText, WhatDoesNotFitIsLeftOutWhole)
{
    char out[6];
    EXPECT_EQ(ls_safe_text(out, sizeof out,
                           "ab\x1b"
                           "c",
                           4),
              7u);
    EXPECT_STREQ(out, "ab");
    EXPECT_EQ(ls_safe_text(out, sizeof out, "abcd☃", 7), 7u);
    EXPECT_STREQ(out, "abcd");
}

TEST(Print, LineBreaksOfTheFormatStayAndThoseOfValuesDoNot)
{
    EXPECT_EQ(printed("a\n%s\n%5.1f%%\n", "x\ny\x1b[2J", 2.5), "a\nx\\ny\\x1b[2J\n  2.5%\n");
    EXPECT_EQ(printed("%-4s|%.*s\n", "ü", 2, "abc"), "ü  |ab\n");
    EXPECT_EQ(printed("%s", "\1\2\n"), "\\x01\\x02\\n");
}

TEST(Error, MessagesAreSafe)
{
    ls_error error;
    ls_error_set(&error, LS_DATA, "%s: bad", "a\n\x1b[2Jb");
    EXPECT_STREQ(error.text, "a\\n\\x1b[2Jb: bad");
    ls_error_prefix(&error, "file\r%d", 1);
    EXPECT_STREQ(error.text, "file\\r1: a\\n\\x1b[2Jb: bad");
    ls_error_set(&error, LS_DATA, "again: %s", error.text);
    EXPECT_STREQ(error.text, "again: file\\r1: a\\n\\x1b[2Jb: bad");
}

} /* namespace */
