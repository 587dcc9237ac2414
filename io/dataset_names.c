/* dataset_names: compares the names in a file with those that a data set has. */
#include "io/dataset_names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "io/dataset_check.h"

enum { NAME = 256, MOST = 1000 /* names at the root that are looked at */ };

/* Names that others give to the splits, and ours. */
static const struct name {
    const char *theirs, *ours;
} names[] = {{"train", "train"},    {"training", "train"},   {"valid", "valid"}, {"val", "valid"},
             {"validate", "valid"}, {"validation", "valid"}, {"dev", "valid"},   {"eval", "valid"},
             {"test", "test"},      {"testing", "test"}};

/* The split that a name means, alone or behind x_ or y_; NULL: none. */
static const char *meaning(const char *name)
{
    bool letter = strchr("xXyY", name[0]) && name[1] == '_';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(letter ? name + 2 : name, names[i].theirs) == 0)
            return names[i].ours;
    return NULL;
}

/* Whether a split is found under this name. */
static bool is_ours(const char *name)
{
    static const char length[] = "length_";
    bool letter = strncmp(name, "x_", 2) == 0 || strncmp(name, "y_", 2) == 0;
    if (strncmp(name, length, strlen(length)) == 0)
        name += strlen(length);
    const char *split = letter ? name + 2 : name, *meant = meaning(name);
    return meant && strcmp(split, meant) == 0;
}

/* The name of entry i of a group; false: there are no more. */
static bool read_name(hid_t group, hsize_t i, char name[NAME])
{
    return i < MOST && H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, NAME,
                                          H5P_DEFAULT) >= 0;
}

const char *ls_dataset_names_unused(hid_t file, char *text, size_t size)
{
    char name[NAME], entry[2 * NAME];
    text[0] = 0;
    ls_h5_start();
    for (hsize_t i = 0; read_name(file, i, name); i++) {
        const char *meant = meaning(name);
        if (is_ours(name) || strcmp(name, "vocabulary") == 0)
            continue;
        snprintf(entry, sizeof entry, meant ? "%s (the name for such rows is %s)" : "%s", name,
                 meant);
        ls_format_join(text, size, entry);
    }
    return text;
}

/* Appends "FROM=TO" to the list renames[size], unless it is there or changes nothing. */
static void add_rename(char *renames, size_t size, const char *from, const char *to)
{
    char entry[2 * NAME];
    snprintf(entry, sizeof entry, "%s=%s", from, to);
    if (strcmp(from, to) == 0 || strstr(renames, entry))
        return;
    snprintf(renames + strlen(renames), size - strlen(renames), "%s%s", renames[0] ? "," : "",
             entry);
}

/* If a group holds two entries, they are x and y: in the order of their names, which fits data and
 * label, features and targets, images and labels. */
static void rename_pair(hid_t group, const char *x, const char *y, char *renames, size_t size)
{
    char first[NAME], second[NAME], more[NAME];
    if (!read_name(group, 0, first) || !read_name(group, 1, second) || read_name(group, 2, more))
        return;
    add_rename(renames, size, first, x);
    add_rename(renames, size, second, y);
}

/* Opens a group that is reached by a hard link; -1: it is none. */
static hid_t open_group(hid_t file, const char *name)
{
    H5L_info_t link;
    H5O_info_t info;
    bool hard = H5Lget_info(file, name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD;
    bool group = hard && H5Oget_info_by_name(file, name, &info, H5P_DEFAULT) >= 0 &&
                 info.type == H5O_TYPE_GROUP;
    return group ? H5Gopen2(file, name, H5P_DEFAULT) : -1;
}

const char *ls_dataset_names_found(hid_t file, const char *path, char *text, size_t size)
{
    char name[NAME], inside[NAME], entry[3 * NAME], found[NAME] = "", renames[4 * NAME] = "";
    bool splits = false;
    ls_h5_start();
    for (hsize_t i = 0; read_name(file, i, name); i++) {
        hid_t group = meaning(name) ? open_group(file, name) : -1;
        if (group >= 0) {
            snprintf(entry, sizeof entry, "%s (with %s)", name,
                     ls_dataset_check_names(group, inside, sizeof inside));
            add_rename(renames, sizeof renames, name, meaning(name));
            rename_pair(group, "x", "y", renames, sizeof renames);
            splits = true;
        }
        ls_format_join(found, sizeof found, group >= 0 ? entry : name);
        ls_h5_close(group);
    }
    if (!splits)
        rename_pair(file, "train/x", "train/y", renames, sizeof renames);
    snprintf(text, size, "nothing");
    if (found[0])
        snprintf(text, size, "%s; `lockstep import h5 %s -o NEW.h5 --rename %s` gives them names",
                 found, path, renames[0] ? renames : "OLD=train/x,OLD=train/y");
    return text;
}
