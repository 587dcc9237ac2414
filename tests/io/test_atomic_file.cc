/* atomic_file: whole or not at all, whoever writes, whatever stands in the way. */
#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>
#include <vector>

#include "child.h"
#include "folder.h"
extern "C" {
#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "io/output.h"
}

namespace
{
bool put(const std::string &path, const std::string &text, ls_error *error = nullptr)
{
    return ls_atomic_file_write(path.c_str(), text.data(), text.size(), error);
}

long files_in(const std::string &folder)
{
    std::filesystem::directory_iterator it(folder);
    return std::distance(begin(it), end(it));
}

/* A system that fails or does half in each of its calls but every third. */
struct Moody {
    int calls = 0, reason = EINTR;
    bool fails()
    {
        errno = reason;
        return calls++ % 3 != 2;
    }
} moody;

int moody_open(const char *path, int flags, mode_t mode)
{
    return moody.fails() ? -1 : open(path, flags, mode);
}
ssize_t moody_write(int file, const void *bytes, size_t size)
{
    return moody.fails() ? -1 : write(file, bytes, size > 7 ? 7 : size);
}
int moody_fsync(int file)
{
    return moody.fails() ? -1 : fsync(file);
}
int moody_close(int file)
{
    close(file);
    errno = EINTR;
    return -1;
}
int moody_rename(const char *from, const char *to)
{
    return moody.fails() ? -1 : rename(from, to);
}
ssize_t write_nothing(int, const void *, size_t)
{
    errno = 0;
    return 0;
}
ssize_t write_on_a_full_disk(int, const void *, size_t)
{
    errno = ENOSPC;
    return -1;
}
/* The rename is done, but the server's answer is lost and it is asked again. */
int rename_twice(const char *from, const char *to)
{
    return rename(from, to) ? -1 : rename(from, to);
}

/* Somebody guesses two of the temporary names and puts links there. */
struct Planted {
    std::string victim;
    int count = 0;
} planted;

int plant_and_open(const char *path, int flags, mode_t mode)
{
    if (flags & O_CREAT && planted.count < 2) {
        std::filesystem::create_symlink(planted.victim, path);
        planted.count++;
    }
    return open(path, flags, mode);
}

/* Replaces system calls for as long as it lives. */
class Calls
{
  public:
    explicit Calls(ls_file_calls calls) : mine(calls)
    {
        ls_file_set_calls(&mine);
    }
    ~Calls()
    {
        ls_file_set_calls(nullptr);
    }

  private:
    ls_file_calls mine;
};
int plain_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}
} /* namespace */

TEST(AtomicFile, OfTwoWritersEachIsWholeAndTheLastOneStays)
{
    Folder folder;
    std::string path = folder / "a";
    ls_atomic_file *first = ls_atomic_file_create(path.c_str(), nullptr);
    ls_atomic_file *second = ls_atomic_file_create(path.c_str(), nullptr);
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(ls_atomic_file_put(first, "first", 5, nullptr));
    EXPECT_TRUE(ls_atomic_file_put(second, "2nd", 3, nullptr));
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_TRUE(ls_atomic_file_finish(second, nullptr));
    EXPECT_EQ(read_file(path), "2nd");
    EXPECT_TRUE(ls_atomic_file_finish(first, nullptr));
    EXPECT_EQ(read_file(path), "first");
    EXPECT_EQ(files_in(folder.root), 1);
}

TEST(AtomicFile, OfTwoWritersOfAnHdf5FileEachIsWhole)
{
    Folder folder;
    std::string path = folder / "a.h5";
    ls_error error = {};
    ls_output first, second;
    ASSERT_TRUE(ls_output_open(&first, path.c_str(), &error)) << error.text;
    ASSERT_TRUE(ls_output_open(&second, path.c_str(), &error)) << error.text;
    EXPECT_TRUE(ls_h5_put_long(first.file, "writer", 1, &error));
    EXPECT_TRUE(ls_h5_put_long(second.file, "writer", 2, &error));
    for (ls_output *output : {&second, &first}) {
        EXPECT_TRUE(ls_output_close(output, &error)) << error.text;
        long writer = 0;
        bool present = false;
        hid_t file = ls_h5_open(path.c_str(), &error);
        EXPECT_TRUE(ls_h5_get_long(file, "writer", &writer, &present, &error)) << error.text;
        EXPECT_EQ(writer, output == &first ? 1 : 2);
        H5Fclose(file);
    }
    EXPECT_EQ(files_in(folder.root), 1);
}

TEST(AtomicFile, NoLinkInThePlaceOfTheTemporaryFileIsFollowed)
{
    Folder folder;
    write_file(folder / "victim", "precious");
    planted = {folder / "victim", 0};
    ls_error error = {};
    {
        Calls calls({plant_and_open, write, fsync, close, rename});
        EXPECT_TRUE(put(folder / "a", "mine", &error)) << error.text;
    }
    EXPECT_EQ(planted.count, 2);
    EXPECT_EQ(read_file(folder / "a"), "mine");
    EXPECT_EQ(read_file(folder / "victim"), "precious");
}

TEST(AtomicFile, ALinkInThePlaceOfTheFileIsReplacedAndItsVictimStays)
{
    Folder folder;
    write_file(folder / "victim", "precious");
    std::filesystem::create_symlink(folder / "victim", folder / "a");
    EXPECT_TRUE(put(folder / "a", "mine"));
    EXPECT_EQ(read_file(folder / "a"), "mine");
    EXPECT_EQ(read_file(folder / "victim"), "precious");
}

TEST(AtomicFile, WhatAKilledWriterLeftIsRemovedByTheNext)
{
    Folder folder;
    std::string path = folder / "a";
    for (const char *name : {"a.0123456789abcdef.tmp", "a.0000000000000000.tmp"})
        write_file(folder / name, "half");
    for (const char *name : {"a.tmp", "a.0123.tmp", "a.0123456789abcdeX.tmp", "a.0123456789abcdef",
                             "b.0123456789abcdef.tmp", "aa.0123456789abcdef.tmp"})
        write_file(folder / name, "not ours");
    EXPECT_TRUE(put(path, "whole"));
    EXPECT_EQ(files_in(folder.root), 7);
}

TEST(AtomicFile, DISABLED_Writer)
{
    ls_output output;
    EXPECT_TRUE(ls_output_open(&output, getenv("LOCKSTEP_TEST_FOLDER"), nullptr));
    tell(getpid());
    pause();
}

TEST(AtomicFile, WhatALivingWriterWritesStaysAndIsRemovedWhenItWasKilled)
{
    Folder folder;
    std::string path = folder / "a.h5";
    Child child("AtomicFile.DISABLED_Writer", path);
    child.next();
    EXPECT_TRUE(put(path, "mine"));
    EXPECT_EQ(files_in(folder.root), 2);
    child.stop();
    EXPECT_TRUE(put(path, "mine"));
    EXPECT_EQ(files_in(folder.root), 1);
}

TEST(AtomicFile, NamesMayBeAsLongAsTheSystemAllows)
{
    Folder folder;
    for (const std::string &part : {std::string("a"), std::string("\u2603")}) {
        std::string name;
        while (name.size() + part.size() <= 255)
            name += part;
        ls_error error = {};
        EXPECT_TRUE(put(folder / name, "whole", &error)) << error.text;
        EXPECT_EQ(read_file(folder / name), "whole");
    }
    EXPECT_EQ(files_in(folder.root), 2);
}

TEST(AtomicFile, SignalsAndShortWritesAreNoFailures)
{
    Folder folder;
    std::string text(100, 'x');
    ls_error error = {};
    moody = {};
    Calls calls({moody_open, moody_write, moody_fsync, moody_close, moody_rename});
    EXPECT_TRUE(put(folder / "a", text, &error)) << error.text;
    EXPECT_EQ(read_file(folder / "a"), text);
    EXPECT_EQ(files_in(folder.root), 1);
}

TEST(AtomicFile, AWriteThatTakesNothingIsAFullDisk)
{
    Folder folder;
    ls_error error = {};
    Calls calls({plain_open, write_nothing, fsync, close, rename});
    EXPECT_FALSE(put(folder / "a", "text", &error));
    EXPECT_STREQ(error.text,
                 (folder / "a: can't write (4 bytes): No space left on device").c_str());
    EXPECT_EQ(files_in(folder.root), 0);
}

TEST(AtomicFile, AStreamTellsWhyItCouldNotBeWritten)
{
    Folder folder;
    ls_error error = {};
    ls_atomic_file *file = ls_atomic_file_create((folder / "a").c_str(), &error);
    {
        Calls calls({plain_open, write_on_a_full_disk, fsync, close, rename});
        fputs("text", ls_atomic_file_stream(file));
        fflush(ls_atomic_file_stream(file));
    }
    fputs("more", ls_atomic_file_stream(file));
    errno = 0;
    EXPECT_FALSE(ls_atomic_file_finish(file, &error));
    EXPECT_EQ(error.code, LS_IO);
    EXPECT_TRUE(has(error, folder / "a: can't write: No space left on device")) << error.text;
    EXPECT_EQ(files_in(folder.root), 0);
}

TEST(AtomicFile, ARenameWhoseAnswerWasLostIsDone)
{
    Folder folder;
    ls_error error = {};
    Calls calls({plain_open, write, fsync, close, rename_twice});
    EXPECT_TRUE(put(folder / "a", "text", &error)) << error.text;
    EXPECT_EQ(read_file(folder / "a"), "text");
}

TEST(AtomicFile, WhatIsNoFileIsNotReplaced)
{
    Folder folder;
    size_t blocks = ls_memory_blocks();
    std::filesystem::create_directory(folder / "a");
    ASSERT_EQ(mkfifo((folder / "b").c_str(), 0666), 0);
    ls_error error = {};
    EXPECT_FALSE(put(folder / "a", "text", &error));
    EXPECT_TRUE(has(error, folder / "a: is a directory; expected a file")) << error.text;
    EXPECT_FALSE(put(folder / "b", "text", &error));
    EXPECT_TRUE(has(error, folder / "b: is a device or pipe; expected a file")) << error.text;
    EXPECT_EQ(files_in(folder.root), 2);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}
