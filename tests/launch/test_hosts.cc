/* Hosts: what the start-up block says of one host, of unequal ones, and of a thousand. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

extern "C" {
#include "launch/run/hosts.h"
}

namespace
{

/* Adds a host of so many ranks, each bound to one of 4 cores. */
void add(std::vector<ls_host> &all, const std::string &name, int ranks)
{
    int machine = all.empty() ? 0 : all.back().machine + 1;
    for (int r = 0; r < ranks; r++) {
        ls_host host = {};
        snprintf(host.name, sizeof host.name, "%s", name.c_str());
        snprintf(host.set, sizeof host.set, "AVX-512");
        host.machine = machine;
        host.cores = 4;
        host.hyperthreads = 1;
        host.threads = 1;
        host.mhz = 2400;
        CPU_SET(r % 4, &host.bound);
        all.push_back(host);
    }
}

std::string printed(const std::vector<ls_host> &all)
{
    char *text = nullptr;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    ls_hosts_print(all.data(), (int)all.size(), file);
    fclose(file);
    std::string copy = text;
    free(text);
    return copy;
}

std::string summary(const std::vector<ls_host> &all)
{
    char hosts[64], rank[64];
    return std::string(ls_hosts_text(all.data(), (int)all.size(), hosts, sizeof hosts)) + "; " +
           ls_hosts_rank_text(all.data(), (int)all.size(), rank, sizeof rank);
}

} /* namespace */

TEST(Hosts, OneHostTakesNoLineOfItsOwn)
{
    std::vector<ls_host> all;
    add(all, "node1", 4);
    EXPECT_EQ(summary(all), "1 host of 4 cores; 1 core a rank as bound, 1 thread");
    EXPECT_EQ(printed(all), "");
    all[1].threads = 2;
    CPU_SET(3, &all[1].bound);
    EXPECT_EQ(summary(all), "1 host of 4 cores; 1 to 2 cores a rank as bound, 1 to 2 threads");
}

TEST(Hosts, HyperthreadsAreNoCores)
{
    std::vector<ls_host> all;
    add(all, "node1", 1);
    all[0].hyperthreads = 2;
    CPU_SET(5, &all[0].bound);
    EXPECT_EQ(summary(all), "1 host of 4 cores; 1 core a rank as bound, 1 thread");
}

TEST(Hosts, OneNameIsNotOneHost)
{
    std::vector<ls_host> all;
    add(all, "box", 2);
    add(all, "box", 2);
    EXPECT_EQ(summary(all), "2 hosts of 4 cores; 1 core a rank as bound, 1 thread");
    EXPECT_EQ(printed(all), "          2 ranks a host on box, box\n");
}

TEST(Hosts, NumbersBecomeRangesAndDomainsAreLeftOut)
{
    std::vector<ls_host> all;
    for (const char *name : {"n08.a.org", "n09.a.org", "n10.a.org", "n12.a.org", "login", "n9"})
        add(all, name, 2);
    add(all, "n10", 1);
    EXPECT_EQ(printed(all), "          2 ranks a host on n08-10, n12, login and 1 more; "
                            "1 rank a host on n10\n");
}

TEST(Hosts, ThousandHostsTakeOneLine)
{
    std::vector<ls_host> all;
    for (int i = 1; i <= 1024; i++)
        add(all, "node" + std::to_string(i), 2);
    EXPECT_EQ(printed(all), "          2 ranks a host on node1-1024\n");
    all.clear();
    for (int i = 0; i < 1000; i++)
        add(all, "node" + std::to_string(2 * i), 1 + i % 10);
    std::string lines = printed(all);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1);
    EXPECT_LT(lines.size(), 200u) << lines;
    EXPECT_NE(lines.find("1 rank a host on node0, node20, node40 and 97 more; "), lines.npos)
        << lines;
    EXPECT_NE(lines.find("; and 7 more\n"), lines.npos) << lines;
}

TEST(Hosts, DifferencesThatMatterAreTold)
{
    std::vector<ls_host> all;
    for (int i = 1; i <= 4; i++)
        add(all, "node" + std::to_string(i), 1);
    snprintf(all[2].set, sizeof all[2].set, "AVX2");
    all[3].threads = 2;
    all[1].mhz = 1800;
    all[2].mhz = 2390; /* as good as 2400 */
    EXPECT_EQ(printed(all),
              "          1 rank a host on node1-4\n"
              "          instruction sets differ: AVX-512 on node1-2, node4; AVX2 on node3: equal "
              "bits are promised on one of them only\n"
              "          thread counts differ: 1 thread on node1-3; 2 threads on node4: give "
              "--threads alike, unless the cores differ too\n"
              "          clocks differ: 2.4 GHz on node1, node3-4; 1.8 GHz on node2: each step "
              "waits for the slowest\n");
}

TEST(Hosts, UnknownClocksAreNoDifference)
{
    std::vector<ls_host> all;
    add(all, "a", 1);
    add(all, "b", 1);
    all[1].mhz = 0;
    EXPECT_EQ(printed(all), "          1 rank a host on a, b\n");
}
