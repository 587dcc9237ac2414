/* h5_check: judges the bytes of an HDF5 file before HDF5 sees them, for HDF5 is not safe with
 * damaged or hostile ones: some make it crash, others make it run for ever. */
#pragma once
#include "io/h5/guard/h5_piece.h"

/* Begins a walk over the bytes of the file `path` (borrowed, as is `error`, until the walk is
 * closed), and checks every header, tree, heap and address that HDF5 will rely on, from the
 * superblock on. Not checked: the numbers; of gzip's chunks all after the first 16 MiB; and what
 * has checksums (chunk indexes and names of libver='latest'), which HDF5 checks itself. False and
 * an LS_DATA error that names the byte where the file is refused. */
bool ls_h5_check_begin(ls_h5_walk *walk, const char *path, const void *bytes, size_t size,
                       ls_error *error);
/* Names that stand in heaps with checksums only HDF5 can read. So for each group that has such,
 * once HDF5 has opened the file: ls_h5_check_dense gives its address, or false where no such group
 * is left; the caller has HDF5 list its hard links, hands the address of each to ls_h5_check_name,
 * and then has ls_h5_check_go_on check all of these. More such groups may be found on the way. */
bool ls_h5_check_dense(ls_h5_walk *walk, uint64_t *address);
void ls_h5_check_name(ls_h5_walk *walk, uint64_t address);
bool ls_h5_check_go_on(ls_h5_walk *walk);
/* After each walk, refused or not. */
void ls_h5_check_close(ls_h5_walk *walk);
