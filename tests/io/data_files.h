/* data_files: data files written through HDF5's own interface, for the tests of data sets, feed
 * and import. */
#pragma once
#include <gtest/gtest.h>
#include <hdf5.h>
#include <string>
#include <vector>

#include "folder.h"

extern "C" {
#include "core/check.h"
}

namespace data_files
{

template <class T> hid_t native();
template <> inline hid_t native<uint8_t>()
{
    return H5T_NATIVE_UINT8;
}
template <> inline hid_t native<int8_t>()
{
    return H5T_NATIVE_INT8;
}
template <> inline hid_t native<uint16_t>()
{
    return H5T_NATIVE_UINT16;
}
template <> inline hid_t native<int16_t>()
{
    return H5T_NATIVE_INT16;
}
template <> inline hid_t native<uint32_t>()
{
    return H5T_NATIVE_UINT32;
}
template <> inline hid_t native<int32_t>()
{
    return H5T_NATIVE_INT32;
}
template <> inline hid_t native<int64_t>()
{
    return H5T_NATIVE_INT64;
}
template <> inline hid_t native<float>()
{
    return H5T_NATIVE_FLOAT;
}
template <> inline hid_t native<double>()
{
    return H5T_NATIVE_DOUBLE;
}

/* A file being written; closed by the destructor. */
class Writer
{
  public:
    explicit Writer(const std::string &path)
        : file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT))
    {
    }
    ~Writer()
    {
        H5Fclose(file);
    }
    /* Creates `path` with the given creation properties; writes nothing. The caller closes it. */
    hid_t create(const std::string &path, hid_t type, const std::vector<hsize_t> &dims,
                 hid_t properties = H5P_DEFAULT)
    {
        hid_t links = H5Pcreate(H5P_LINK_CREATE);
        H5Pset_create_intermediate_group(links, 1);
        hid_t space = dims.empty() ? H5Screate(H5S_SCALAR)
                                   : H5Screate_simple((int)dims.size(), dims.data(), nullptr);
        hid_t dataset = H5Dcreate2(file, path.c_str(), type, space, links, properties, H5P_DEFAULT);
        H5Sclose(space);
        H5Pclose(links);
        return dataset;
    }
    /* stored 0: as T is in memory. */
    template <class T>
    void put(const std::string &path, const std::vector<hsize_t> &dims, const std::vector<T> &data,
             hid_t stored = 0, hid_t properties = H5P_DEFAULT)
    {
        hid_t dataset = create(path, stored ? stored : native<T>(), dims, properties);
        H5Dwrite(dataset, native<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data());
        H5Dclose(dataset);
    }
    void attribute(const std::string &path, const char *name, double value,
                   hid_t stored = H5T_NATIVE_DOUBLE)
    {
        hid_t space = H5Screate(H5S_SCALAR);
        hid_t it = H5Acreate_by_name(file, path.c_str(), name, stored, space, H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(it, H5T_NATIVE_DOUBLE, &value);
        H5Aclose(it);
        H5Sclose(space);
    }
    void classes(const std::string &path, long value)
    {
        attribute(path, "classes", (double)value, H5T_NATIVE_LONG);
    }

    const hid_t file;
};

/* 0, 1, 2, ... as T. */
template <class T> std::vector<T> counting(size_t n)
{
    std::vector<T> values(n);
    for (size_t i = 0; i < n; i++)
        values[i] = (T)i;
    return values;
}

/* The message holds every word. */
inline void expect_words(const ls_error &error, const std::vector<std::string> &words)
{
    for (const std::string &word : words)
        EXPECT_NE(std::string(error.text).find(word), std::string::npos)
            << "expected \"" << word << "\" in: " << error.text;
}

/* Creation properties for chunks, with gzip and shuffle where gzip > 0; the caller closes them. */
inline hid_t chunked(std::vector<hsize_t> chunk, int gzip)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, (int)chunk.size(), chunk.data());
    if (gzip) {
        H5Pset_shuffle(list);
        H5Pset_deflate(list, (unsigned)gzip);
    }
    return list;
}

/* x [rows, 2] and y [rows], labels. */
inline void put_pair(Writer &file, const std::string &split, hsize_t rows = 4)
{
    file.put<uint8_t>(split + "/x", {rows, 2}, counting<uint8_t>(rows * 2));
    file.put<uint8_t>(split + "/y", {rows}, counting<uint8_t>(rows));
}

/* Files and folders in it. */
inline size_t entries(const Folder &folder)
{
    std::filesystem::directory_iterator all(folder.root);
    return (size_t)std::distance(begin(all), end(all));
}

} /* namespace data_files */
