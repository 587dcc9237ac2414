/* child: runs one (disabled) test of this program in a process of its own, so that it can be
 * killed. */
#pragma once
#include <csignal>
#include <cstdlib>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char **environ;

class Child
{
  public:
    /* The test reads its folder from LOCKSTEP_TEST_FOLDER, and writes its lines to descriptor 3. */
    Child(const std::string &test, const std::string &folder)
    {
        int ends[2];
        if (pipe(ends) != 0)
            abort();
        setenv("LOCKSTEP_TEST_FOLDER", folder.c_str(), 1);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
        std::vector<std::string> words = {"test", "--gtest_also_run_disabled_tests",
                                          "--gtest_filter=" + test};
        char *argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
        if (posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv, environ) != 0)
            abort();
        posix_spawn_file_actions_destroy(&actions);
        close(ends[1]);
        from = fdopen(ends[0], "r");
    }
    Child(const Child &) = delete;
    ~Child()
    {
        stop();
        fclose(from);
    }
    /* The next number that the child tells, or -1 when it is gone. */
    long next()
    {
        long number = -1;
        return fscanf(from, "%ld", &number) == 1 ? number : -1;
    }
    /* Kill -9, and wait until it is gone. */
    void stop()
    {
        if (pid <= 0)
            return;
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        pid = 0;
    }
    pid_t pid = 0;

  private:
    FILE *from;
};

/* In the child: tells the parent a number. */
inline void tell(long number)
{
    if (dprintf(3, "%ld\n", number) < 0)
        exit(1);
}
