/* rundir: one job a run directory; metrics that a resumed run continues. */
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "child.h"
#include "folder.h"
#include "full_disk.h"
extern "C" {
#include "core/memory.h"
#include "io/rundir.h"
}

namespace
{
std::string host()
{
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    return name;
}

/* A run directory, closed at the end. */
class Opened
{
  public:
    explicit Opened(const std::string &path) : run(ls_rundir_open(path.c_str(), &error))
    {
        EXPECT_TRUE(run) << error.text;
    }
    Opened(const Opened &) = delete;
    ~Opened()
    {
        ls_rundir_close(run);
    }
    operator ls_rundir *() const
    {
        return run;
    }
    ls_error error = {};

  private:
    ls_rundir *run;
};
} /* namespace */

TEST(Rundir, IsMadeWithAllThatLeadsToIt)
{
    Folder folder;
    size_t blocks = ls_memory_blocks();
    {
        Opened run(folder / "a//b/run/");
        EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/run/checkpoints"));
    }
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(Rundir, SaysWhatStandsInTheWay)
{
    Folder folder;
    write_file(folder / "file", "");
    ls_error error = {};
    EXPECT_FALSE(ls_rundir_open((folder / "file/run").c_str(), &error));
    EXPECT_EQ(error.code, LS_IO);
    EXPECT_TRUE(has(error, folder / "file")) << error.text;
    EXPECT_TRUE(has(error, "expected a folder")) << error.text;
    std::filesystem::create_symlink("nowhere", folder / "link");
    EXPECT_FALSE(ls_rundir_open((folder / "link").c_str(), &error));
    EXPECT_TRUE(has(error, "link: is a link that leads nowhere; expected a folder")) << error.text;
    EXPECT_FALSE(ls_rundir_open("/proc/run", &error));
    EXPECT_TRUE(has(error, "/proc/run: can't make the folder")) << error.text;
}

TEST(Rundir, ASecondJobIsRefusedWithTheHoldersName)
{
    Folder folder;
    ls_error error = {};
    {
        Opened run(folder / "run");
        EXPECT_FALSE(ls_rundir_open((folder / "run").c_str(), &error));
        EXPECT_EQ(error.code, LS_IN_USE);
        EXPECT_TRUE(has(error, "process " + std::to_string(getpid()) + " on host " + host()))
            << error.text;
        read_file(folder / "run/lock"); /* closing another descriptor must not drop the lock */
        EXPECT_FALSE(ls_rundir_open((folder / "run").c_str(), &error));
    }
    Opened again(folder / "run");
}

TEST(Rundir, DISABLED_Holder)
{
    Opened run(getenv("LOCKSTEP_TEST_FOLDER"));
    tell(getpid());
    pause();
}

TEST(Rundir, AKilledJobLeavesNoLock)
{
    Folder folder;
    Child child("Rundir.DISABLED_Holder", folder / "run");
    long pid = child.next();
    ls_error error = {};
    EXPECT_FALSE(ls_rundir_open((folder / "run").c_str(), &error));
    EXPECT_EQ(error.code, LS_IN_USE);
    EXPECT_TRUE(has(error, "process " + std::to_string(pid) + " on host")) << error.text;
    child.stop();
    Opened run(folder / "run");
}

TEST(Rundir, PutsAFileWhole)
{
    Folder folder;
    Opened run(folder.root);
    EXPECT_TRUE(ls_rundir_put(run, "job.yaml", "model: a long one\n", &run.error));
    EXPECT_TRUE(ls_rundir_put(run, "job.yaml", "model: b\n", &run.error));
    EXPECT_EQ(read_file(folder / "job.yaml"), "model: b\n");
    std::filesystem::directory_iterator files(folder.root);
    EXPECT_EQ(std::distance(begin(files), end(files)), 3); /* checkpoints, job.yaml, lock */
}

TEST(RundirMetrics, AreThereAtOnce)
{
    Folder folder;
    Opened run(folder.root);
    EXPECT_TRUE(ls_rundir_metrics(run, "{\"step\": 1}", &run.error));
    EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{\"step\": 1}\n");
    EXPECT_TRUE(ls_rundir_metrics(run, "{\"step\": 2}", &run.error));
    EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{\"step\": 1}\n{\"step\": 2}\n");
}

TEST(RundirMetrics, RewindDropsLaterStepsAndHalfALine)
{
    Folder folder;
    Opened run(folder.root);
    write_file(folder / "metrics.jsonl", "{\"step\": 1, \"loss\": 0.5}\n"
                                         "{\"note\": \"no step\"}\n"
                                         "{\"step\": 3}\n"
                                         "{\"loss\": 1, \"step\": 2}\n"
                                         "{\"step\": 4}\n"
                                         "{\"step\": 2, \"lo");
    EXPECT_TRUE(ls_rundir_metrics_rewind(run, 2, nullptr, &run.error)) << run.error.text;
    EXPECT_TRUE(ls_rundir_metrics(run, "{\"step\": 3, \"again\": true}", &run.error));
    EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{\"step\": 1, \"loss\": 0.5}\n"
                                                   "{\"note\": \"no step\"}\n"
                                                   "{\"loss\": 1, \"step\": 2}\n"
                                                   "{\"step\": 3, \"again\": true}\n");
}

TEST(RundirMetrics, RewindToAStepWhoseEvaluationIsDueKeepsTheStepsOwnRecord)
{
    Folder folder;
    Opened run(folder.root);
    write_file(folder / "metrics.jsonl", "{\"step\": 1, \"valid\": {}}\n"
                                         "{\"step\": 2, \"rate\": 0.5}\n"
                                         "{\"step\": 2, \"valid\": {}}\n"
                                         "{\"step\": 2, \"final\": \"done\"}\n");
    EXPECT_TRUE(ls_rundir_metrics_rewind(run, 2, "rate", &run.error)) << run.error.text;
    EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{\"step\": 1, \"valid\": {}}\n"
                                                   "{\"step\": 2, \"rate\": 0.5}\n");
}

TEST(RundirMetrics, RewindLeavesAFileThatIsTooLargeToBeOne)
{
    Folder folder;
    Opened run(folder.root);
    write_file(folder / "metrics.jsonl", "{\"step\": 1}\n");
    if (truncate((folder / "metrics.jsonl").c_str(), off_t(1) << 40) != 0)
        GTEST_SKIP() << "no sparse files of 1 TiB here";
    EXPECT_FALSE(ls_rundir_metrics_rewind(run, 0, nullptr, &run.error));
    EXPECT_EQ(run.error.code, LS_DATA);
    EXPECT_TRUE(has(run.error, "has 1099511627776 bytes")) << run.error.text;
    EXPECT_EQ(std::filesystem::file_size(folder / "metrics.jsonl"), uintmax_t(1) << 40);
}

TEST(RundirMetrics, RewindToTheStartAndOfNothing)
{
    Folder folder;
    Opened run(folder.root);
    EXPECT_TRUE(ls_rundir_metrics_rewind(run, 5, nullptr, &run.error));
    EXPECT_FALSE(std::filesystem::exists(folder / "metrics.jsonl"));
    EXPECT_TRUE(ls_rundir_metrics(run, "{\"step\": 1}", &run.error));
    EXPECT_TRUE(ls_rundir_metrics_rewind(run, 0, nullptr, &run.error));
    EXPECT_EQ(read_file(folder / "metrics.jsonl"), "");
    EXPECT_TRUE(ls_rundir_metrics(run, "{\"step\": 1}", &run.error));
    EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{\"step\": 1}\n");
}

TEST(RundirMetrics, AFullDiskIsToldAndLeavesNoPartOfALine)
{
    Folder folder;
    Opened run(folder.root);
    std::string record = "{\"step\": 1}", records = record + "\n";
    EXPECT_TRUE(ls_rundir_metrics(run, record.c_str(), &run.error));
    {
        FullDisk disk(records.size() + 4);
        EXPECT_FALSE(ls_rundir_metrics(run, record.c_str(), &run.error));
    }
    EXPECT_EQ(run.error.code, LS_IO);
    EXPECT_TRUE(has(run.error, "metrics.jsonl: can't write: File too large")) << run.error.text;
    EXPECT_EQ(read_file(folder / "metrics.jsonl"), records);
    EXPECT_TRUE(ls_rundir_metrics(run, record.c_str(), &run.error));
    EXPECT_EQ(read_file(folder / "metrics.jsonl"), records + records);
}

TEST(RundirMetrics, ALinkIsNotFollowed)
{
    Folder folder, elsewhere;
    Opened run(folder.root);
    write_file(elsewhere / "victim", "precious");
    std::filesystem::create_symlink(elsewhere / "victim", folder / "metrics.jsonl");
    EXPECT_FALSE(ls_rundir_metrics(run, "{\"step\": 1}", &run.error));
    EXPECT_TRUE(has(run.error, "metrics.jsonl: can't open")) << run.error.text;
    EXPECT_EQ(read_file(elsewhere / "victim"), "precious");
}

TEST(Rundir, ALockThatIsALinkIsRefusedAndItsVictimStays)
{
    for (bool hard : {false, true}) {
        Folder folder, elsewhere;
        write_file(folder / "victim", "precious");
        if (hard)
            std::filesystem::create_hard_link(folder / "victim", folder / "lock");
        else
            std::filesystem::create_symlink(folder / "victim", folder / "lock");
        ls_error error = {};
        EXPECT_FALSE(ls_rundir_open(folder.root.c_str(), &error));
        EXPECT_EQ(error.code, LS_IO);
        EXPECT_TRUE(has(error, folder / "lock: is a link, or no file; expected the lock"))
            << error.text;
        EXPECT_EQ(read_file(folder / "victim"), "precious");
    }
}

TEST(Rundir, ALockThatWasRemovedIsMadeAnewAndKeepsOthersOut)
{
    Folder folder;
    Opened run(folder.root);
    std::filesystem::remove(folder / "lock");
    EXPECT_TRUE(ls_rundir_check(run, &run.error)) << run.error.text;
    ls_error error = {};
    EXPECT_FALSE(ls_rundir_open(folder.root.c_str(), &error));
    EXPECT_EQ(error.code, LS_IN_USE);
    EXPECT_TRUE(has(error, "process " + std::to_string(getpid()))) << error.text;
}

TEST(Rundir, WhoseLockWasTakenByAnotherJobIsTold)
{
    Folder folder;
    Opened run(folder.root);
    std::filesystem::remove(folder / "lock");
    Opened second(folder.root);
    EXPECT_FALSE(ls_rundir_check(run, &run.error));
    EXPECT_EQ(run.error.code, LS_IN_USE);
    EXPECT_TRUE(has(run.error, folder / "lock: was removed while this job ran, and process " +
                                   std::to_string(getpid()) + " on host"))
        << run.error.text;
    EXPECT_FALSE(ls_rundir_metrics(run, "{}", &run.error));
    EXPECT_TRUE(ls_rundir_check(second, &second.error)) << second.error.text;
    EXPECT_TRUE(ls_rundir_metrics(second, "{}", &second.error));
    EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{}\n");
}

TEST(Rundir, ARunThatWasRemovedOrReplacedIsTold)
{
    for (bool again : {false, true}) {
        Folder folder;
        Opened run(folder / "run");
        EXPECT_TRUE(ls_rundir_metrics(run, "{}", &run.error));
        std::filesystem::rename(folder / "run", folder / "old");
        if (again)
            Opened other(folder / "run");
        EXPECT_FALSE(ls_rundir_check(run, &run.error));
        EXPECT_EQ(run.error.code, LS_IO);
        EXPECT_TRUE(has(run.error, folder / "run: the run directory was removed or replaced"))
            << run.error.text;
        EXPECT_FALSE(ls_rundir_metrics(run, "{}", &run.error));
    }
}

TEST(Rundir, ClearTellsWhatItCannotRemove)
{
    Folder folder;
    Opened run(folder.root);
    write_file(folder / "checkpoints/step-00000001.h5", "x");
    int file = open((folder / "checkpoints/step-00000001.h5").c_str(), O_RDONLY);
    int before = 0, flags = FS_IMMUTABLE_FL;
    if (ioctl(file, FS_IOC_GETFLAGS, &before) != 0 || ioctl(file, FS_IOC_SETFLAGS, &flags) != 0) {
        close(file);
        GTEST_SKIP() << "no file can be made immutable here";
    }
    EXPECT_FALSE(ls_rundir_clear(run, &run.error));
    EXPECT_EQ(run.error.code, LS_IO);
    ioctl(file, FS_IOC_SETFLAGS, &before);
    close(file);
}

TEST(Rundir, ClearRemovesAnEarlierRunButNotTheLock)
{
    Folder folder;
    Opened run(folder.root);
    std::filesystem::create_directories(folder / "samples/mine");
    for (const char *name :
         {"checkpoints/step-00000001.h5", "checkpoints/step-123456789.ok", "checkpoints/stage-0.h5",
          "checkpoints/stage-12.ok", "checkpoints/best.h5",
          "checkpoints/best.h5.0123456789abcdef.tmp", "samples/step-00000001-prior.png",
          "samples/step-00000001-rebuilt.png",
          "samples/step-00000001-prior.png.0123456789abcdef.tmp", "metrics.jsonl"})
        write_file(folder / name, "x");
    EXPECT_TRUE(ls_rundir_clear(run, &run.error)) << run.error.text;
    EXPECT_TRUE(std::filesystem::is_empty(folder / "checkpoints"));
    std::filesystem::remove(folder / "samples/mine");
    EXPECT_TRUE(std::filesystem::is_empty(folder / "samples"));
    EXPECT_FALSE(std::filesystem::exists(folder / "metrics.jsonl"));
    EXPECT_FALSE(ls_rundir_open(folder.root.c_str(), nullptr));
}

TEST(Rundir, ClearRemovesNothingThatNoRunWrote)
{
    Folder folder;
    Opened run(folder.root);
    std::filesystem::create_directories(folder / "samples/mine");
    const std::vector<std::string> names = {"notes.txt",
                                            "checkpoints/mine.h5",
                                            "checkpoints/step-1.h5",
                                            "checkpoints/step-00000001.h5.old",
                                            "checkpoints/my-step-00000001.h5",
                                            "checkpoints/best.png",
                                            "samples/photo1.png",
                                            "samples/step-00000001-mine.png",
                                            "samples/mine/step-00000001-prior.png"};
    for (const std::string &name : names)
        write_file(folder / name, "x");
    EXPECT_TRUE(ls_rundir_clear(run, &run.error)) << run.error.text;
    for (const std::string &name : names)
        EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
}
