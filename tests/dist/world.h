/* world: what the tests of dist share. Every test runs on all ranks. */
#pragma once
#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "core/memory.h"
#include "dist/reduce.h"
}

extern ls_comm *world;

/* Number i of rank (or shard) `owner`: of mixed size and sign, so that the order of a sum shows. */
real value(int owner, long i);

/* Element of the tree over owners [begin, begin + count), by the definition. */
template <typename number, typename function> number tree(int begin, int count, function element)
{
    if (count == 1)
        return element(begin);
    int half = count / 2;
    return tree<number>(begin, half, element) + tree<number>(begin + half, count - half, element);
}

/* The number of this rank's node, from 0: ranks are numbered node by node. **Collective.** */
long node_index();

/* Ranks of each node, known on all ranks. **Collective.** */
std::vector<long> node_sizes();

/* The first rank of each node, and the number of ranks at the end. **Collective.** */
std::vector<int> node_starts();

/* The tree over the nodes, of the trees over the ranks of each. */
template <typename number, typename function>
number tree_of_nodes(const std::vector<int> &starts, function element)
{
    return tree<number>(0, (int)starts.size() - 1, [&](int node) {
        int first = starts[(size_t)node];
        return tree<number>(first, starts[(size_t)node + 1] - first, element);
    });
}
