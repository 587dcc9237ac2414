/* forward: opens a saved net without its objective. */
#include "launch/forward.h"

bool ls_forward_open(ls_forward *f, ls_comm *comm, const char *from, const char *data,
                     ls_error *error)
{
    *f = (ls_forward){.comm = comm};
    return ls_saved_open(&f->saved, comm, from, data, false, error);
}

bool ls_forward_close(ls_forward *f, bool ok, ls_error *error)
{
    if (f->file)
        ok = ls_rowfile_close(f->file, ok, error) && ok;
    ok = ls_comm_agree(f->comm, ok, error);
    ls_saved_close(&f->saved);
    return ok;
}

long ls_forward_chunk(const ls_net *net, bool every_layer)
{
    enum { CHUNK_ROWS = 256 };
    static const size_t most = (size_t)256 << 20; /* bytes */
    long rows = CHUNK_ROWS;
    while (rows > 1 && ls_run_bytes(net, rows, every_layer) > most)
        rows /= 2;
    return rows;
}

bool ls_forward_put_origin(ls_forward *f, ls_error *error)
{
    char step[32];
    snprintf(step, sizeof step, "%ld", f->saved.step);
    return ls_rowfile_text(f->file, "/", "checkpoint", f->saved.path, error) &&
           ls_rowfile_text(f->file, "/", "checkpoint_step", step, error) &&
           ls_rowfile_text(f->file, "/", "data", f->saved.job->data, error);
}
