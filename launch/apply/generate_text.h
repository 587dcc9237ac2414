/* generate_text: text that a trained recurrent net writes, token after token. */
#pragma once
#include "launch/apply/forward.h"

/* **Collective.** Writes to stdout, on rank 0. The error is the same on all ranks. */
bool ls_generate_text(ls_forward *forward, ls_error *error);
