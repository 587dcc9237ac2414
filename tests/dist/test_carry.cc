/* carry: rows that an objective carries, on all ranks: the same whoever holds them; gathered and
 * dealt out again, for any number of shards. */
#include "world.h"

#include <algorithm>
#include <cstring>

extern "C" {
#include "launch/train/carry.h"
}

namespace
{
/* A session of one stage whose objective carries these rows; number i of row r is
 * seed + r + i / 1024. */
struct Carrying {
    explicit Carrying(std::vector<ls_row_state> states)
    {
        type.begin_rows = [](ls_objective *o, int k, uint64_t seed, long first, long n,
                             real *data) {
            const long reals = o->row_states.at[k].reals;
            for (long i = 0; i < n * reals; i++)
                data[i] = first_value((long)seed, first + i / reals, i % reals);
        };
        objective.type = &type;
        for (const ls_row_state &state : states)
            objective.row_states.at[objective.row_states.count++] = state;
        job.seed = 3;
        job.stages = 1;
        stage.objective = &objective;
        session.comm = world;
        session.job = &job;
        session.stage = &stage;
    }
    ~Carrying()
    {
        ls_carry_release(&carry);
    }
    Carrying(const Carrying &) = delete;

    static real first_value(long seed, long row, long i)
    {
        return (real)(seed + row) + (real)i / 1024;
    }
    void begin(int count)
    {
        ls_shards_cut(&shards, count, LS_SHARDS_BY_TREE, world);
        ls_carry_begin(&carry, &session, &shards, 0);
    }
    /* All rows of all states as rank 0 has them; nothing on the others. **Collective.** */
    std::vector<real> gather()
    {
        const long reals = ls_carry_most(&session);
        std::vector<real> all(world->rank == 0 ? (size_t)reals : 0, -1);
        ls_checkpoint_rows rows = {};
        ls_carry_gather(&carry, world, world->rank == 0 ? all.data() : nullptr, &rows);
        long at = 0;
        EXPECT_EQ(rows.states.count, objective.row_states.count);
        for (int k = 0; k < rows.states.count; k++) {
            EXPECT_TRUE(world->rank > 0 || rows.data[k] == all.data() + at);
            at += rows.states.at[k].rows * rows.states.at[k].reals;
        }
        return all;
    }
    /* What they begin with, by the definition. */
    std::vector<real> expected()
    {
        std::vector<real> all;
        for (int k = 0; k < objective.row_states.count && world->rank == 0; k++)
            for (long r = 0; r < objective.row_states.at[k].rows; r++)
                for (long i = 0; i < objective.row_states.at[k].reals; i++)
                    all.push_back(first_value(job.seed, r, i));
        return all;
    }

    ls_objective_type type = {};
    ls_objective objective = {};
    ls_job job = {};
    ls_session_stage stage = {};
    ls_session session = {};
    ls_shards shards = {};
    ls_carry carry = {};
};
} /* namespace */

TEST(Carry, TheRowsOfAllRanksAreTheSameForAnyShards)
{
    for (int count = world->size; count < world->size + 9; count++)
        for (long rows : {0, 1, 2, 5, 64}) {
            Carrying c({{"chains", rows, 3, false}, {"streams", 7, 1, true}});
            c.begin(count);
            EXPECT_TRUE(c.gather() == c.expected()) << count << " shards, " << rows << " rows";
        }
}

TEST(Carry, EachRankHoldsTheRowsOfItsShards)
{
    const long rows = 10;
    for (int count = world->size; count < 20; count++) {
        Carrying c({{"chains", rows, 3, false}});
        c.begin(count);
        const ls_carried *own = &c.carry.own[0];
        EXPECT_EQ(own->first, rows * c.shards.begin / count);
        EXPECT_EQ(own->first + own->rows, rows * c.shards.end / count);
        EXPECT_LE(own->rows, c.carry.most[0]);
        EXPECT_LE((size_t)(own->rows * 3) * sizeof(real), ls_carry_bytes(&c.objective, &c.shards));
    }
}

TEST(Carry, StreamsBeginAnewWithAnEpochAndChainsDoNot)
{
    Carrying c({{"chains", 9, 3, false}, {"streams", 7, 1, true}});
    c.begin(world->size);
    for (int k = 0; k < 2; k++)
        for (long i = 0; i < c.carry.own[k].rows * c.objective.row_states.at[k].reals; i++)
            c.carry.own[k].data[i] = -7;
    ls_carry_begin_epoch(&c.carry, &c.session, 0);
    std::vector<real> wanted = c.expected();
    std::fill(wanted.begin(), wanted.end() - (world->rank == 0 ? 7 : 0), (real)-7);
    EXPECT_TRUE(c.gather() == wanted);
}

/* Pieces of what is sent end in the middle of the rows. */
TEST(Carry, AreDealtOutAsTheyWereGathered)
{
    for (long rows : {11L, 9001L}) {
        Carrying c({{"chains", rows, 301, false}, {"streams", 7, 2, true}});
        c.begin(world->size);
        for (int k = 0; k < 2; k++)
            for (long i = 0; i < c.carry.own[k].rows * c.objective.row_states.at[k].reals; i++)
                c.carry.own[k].data[i] *= -2;
        std::vector<real> moved = c.gather(), wanted = c.expected();
        for (real &x : wanted)
            x *= -2;
        EXPECT_TRUE(moved == wanted) << rows;
        c.begin(3 * world->size + 1);
        ls_checkpoint_rows found = {};
        found.data[0] = world->rank == 0 ? moved.data() : nullptr; /* the streams are not found */
        ls_carry_deal(&c.carry, world, &found);
        std::vector<real> again = c.gather(), first = c.expected();
        if (world->rank == 0)
            std::copy(first.end() - 14, first.end(), wanted.end() - 14);
        EXPECT_TRUE(again == wanted) << rows;
    }
}
