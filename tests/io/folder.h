/* folder: a temporary directory for one test, and small helpers on files in it. */
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

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
