/* two_nets: two nets and an objective over them, in memory of their own, for the tests of
 * objectives.
 */
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "core/memory.h"
#include "core/objective.h"
}

struct NetLines {
    const char *name, *lines;
    ls_shape x; /* unless the lines begin with `input` */
};

/* `objective` is NULL, and `error` says why, where something does not fit. Values are for the test
 * to fill: then call prepare(). */
struct TwoNets {
    ls_params *params = ls_params_create();
    ls_net *net[2] = {};
    ls_objective *objective = nullptr;
    ls_error error = {};
    std::unique_ptr<real, void (*)(void *)> values{nullptr, ls_free}, prepared{nullptr, ls_free};

    TwoNets(const std::string &text, const NetLines &first, const NetLines &second, ls_shape x,
            const char *train = nullptr)
    {
        int k = 0;
        for (const NetLines *each : {&first, &second}) {
            net[k] = ls_net_build(params, nullptr, each->name, each->lines, &each->x, &error);
            if (!net[k++])
                return;
        }
        ls_task task = {};
        task.params = params;
        task.nets = 2;
        task.net = net;
        task.x = x;
        task.train = train;
        objective = ls_objective_create(text.c_str(), &task, &error);
        values.reset((real *)ls_alloc((size_t)params->size, sizeof(real)));
        prepared.reset((real *)ls_alloc((size_t)params->prepared_size, sizeof(real)));
        ls_params_commit(params, values.get(), prepared.get());
    }

    TwoNets(const TwoNets &) = delete;

    ~TwoNets()
    {
        ls_objective_destroy(objective);
        for (ls_net *each : net)
            ls_net_destroy(each);
        ls_params_destroy(params);
    }

    void prepare()
    {
        for (ls_net *each : net)
            ls_net_prepare(each, nullptr, 0, 1);
    }
};
