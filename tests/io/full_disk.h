/* full_disk: a limit on the size of files, which stands for a disk that is full. */
#pragma once
#include <csignal>
#include <sys/resource.h>

/* As long as it lives no file may have more bytes than `most`. */
class FullDisk
{
  public:
    explicit FullDisk(rlim_t most)
    {
        getrlimit(RLIMIT_FSIZE, &before);
        rlimit now = {most, before.rlim_max};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &now);
    }
    ~FullDisk()
    {
        setrlimit(RLIMIT_FSIZE, &before);
        signal(SIGXFSZ, SIG_DFL);
    }

  private:
    rlimit before;
};
