/* numa: the domain of processors, from folders as Linux writes them. */
#include "world.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

extern "C" {
#include "dist/numa.h"
}

namespace
{

/* A folder of domains with these lists of processors; entry "" makes no file. */
class Folder
{
  public:
    explicit Folder(const std::vector<std::string> &lists)
    {
        char name[] = "/tmp/numa-XXXXXX";
        path = mkdtemp(name);
        std::filesystem::create_directory(path + "/node9x"); /* not a domain */
        std::ofstream(path + "/node9x/cpulist") << "0-63\n";
        std::ofstream(path + "/online") << "0-1\n";
        for (size_t i = 0; i < lists.size(); i++) {
            std::filesystem::create_directory(path + "/node" + std::to_string(i));
            if (!lists[i].empty())
                std::ofstream(path + "/node" + std::to_string(i) + "/cpulist") << lists[i] << "\n";
        }
    }
    ~Folder()
    {
        std::filesystem::remove_all(path);
    }
    int domain(const std::vector<int> &processors)
    {
        cpu_set_t set;
        CPU_ZERO(&set);
        for (int i : processors)
            CPU_SET(i, &set);
        return ls_numa_domain(path.c_str(), &set);
    }

  private:
    std::string path;
};

} /* namespace */

TEST(Numa, FindsTheDomainOfProcessors)
{
    Folder folder({"0-3,8-11", "4-7,12", "13"});
    EXPECT_EQ(folder.domain({0}), 0);
    EXPECT_EQ(folder.domain({3, 8}), 0);
    EXPECT_EQ(folder.domain({4, 5, 12}), 1);
    EXPECT_EQ(folder.domain({13}), 2);
}

TEST(Numa, SeveralDomainsAreNone)
{
    Folder folder({"0-3,8-11", "4-7"});
    EXPECT_EQ(folder.domain({3, 4}), -1);
    EXPECT_EQ(folder.domain({0, 1, 2, 3, 4, 5, 6, 7, 8}), -1);
}

TEST(Numa, WithoutDomainsTheMachineIsOne)
{
    Folder none({}), memory_only({"0-3", ""});
    EXPECT_EQ(none.domain({0, 1}), 0);
    EXPECT_EQ(memory_only.domain({0, 3}), 0);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    EXPECT_EQ(ls_numa_domain("/there/is/no/such/folder", &set), 0);
}
