/* folder: a temporary directory for one test, and small helpers on files in it. */
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" {
#include "core/check.h"
}

class Folder
{
  public:
    Folder()
    {
        std::string path = (std::filesystem::temp_directory_path() / "lockstep-XXXXXX").string();
        if (!mkdtemp(path.data()))
            abort();
        root = path;
    }
    ~Folder()
    {
        std::filesystem::remove_all(root);
    }
    std::string operator/(const std::string &name) const
    {
        return root + "/" + name;
    }
    std::string root;
};

inline std::string read_file(const std::string &path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::string &path, const std::string &bytes)
{
    std::ofstream(path, std::ios::binary) << bytes;
}

inline bool has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

inline bool has(const ls_error &error, const std::string &part)
{
    return has(std::string(error.text), part);
}

/* A file of the run's checkpoint of this step. */
inline std::string step_path(const Folder &run, long step, const char *ending = ".h5")
{
    char name[64];
    snprintf(name, sizeof name, "checkpoints/step-%08ld%s", step, ending);
    return run / name;
}
