#!/usr/bin/env bash
# packages: the one place that knows package names. Installs what is missing, or says what to install.
#
#   launch/install/packages.sh            what building needs
#   launch/install/packages.sh data       the data of the quick start
#   launch/install/packages.sh tests      all that, and what the tests need
#   launch/install/packages.sh figures    data and programs that figures are compared on (tests/bench): 400 MB, R among them
#
# Debian and its kin: installs by apt-get, with sudo only where needed and not root. Elsewhere it looks for what the
# packages bring, names the packages to install by hand, and ends with code 1 while something is missing.
set -euo pipefail

# group | probe, where there is no dpkg | Debian | Fedora | openSUSE | Spack   (-: no package there)
# probe: -: needed on Debian only; cmd:NAME a command; own:NAME a command that counts on Debian too, whoever installed it
# (npm of nodesource conflicts with Debian's); pc:NAME a pkg-config module; header:PATH a header; file:PATH a file; py:NAME a module
table="
build|cmd:cc|build-essential|gcc gcc-c++ make|gcc gcc-c++ make|gcc gmake
build|cmd:cmake|cmake|cmake|cmake|cmake
build|cmd:pkg-config|pkg-config|pkgconf-pkg-config|pkg-config|pkgconf
build|cmd:mpicc|libopenmpi-dev|openmpi-devel|openmpi4-devel|openmpi
build|cmd:mpirun|openmpi-bin|openmpi|openmpi4|openmpi
build|pc:openblas|libopenblas-dev|openblas-devel|openblas-devel|openblas
build|cmd:h5cc|libhdf5-dev|hdf5-devel|hdf5-devel|hdf5~mpi
build|pc:yaml-0.1|libyaml-dev|libyaml-devel|libyaml-devel|libyaml
build|pc:jansson|libjansson-dev|jansson-devel|libjansson-devel|jansson
build|pc:libxxhash|libxxhash-dev|xxhash-devel|xxhash-devel|xxhash
build|header:Random123/philox.h|librandom123-dev|Random123-devel|-|random123
build|pc:zlib|zlib1g-dev|zlib-devel|zlib-devel|zlib
build|pc:libpng|libpng-dev|libpng-devel|libpng16-devel|libpng
build|header:jpeglib.h|libjpeg-dev|libjpeg-turbo-devel|libjpeg8-devel|libjpeg-turbo
build|pc:sndfile|libsndfile1-dev|libsndfile-devel|libsndfile-devel|libsndfile
build|pc:fftw3|libfftw3-dev|fftw-devel|fftw3-devel|fftw
build|pc:samplerate|libsamplerate0-dev|libsamplerate-devel|libsamplerate-devel|libsamplerate
build|pc:libprotobuf-c|libprotobuf-c-dev|protobuf-c-devel|libprotobuf-c-devel|protobuf-c
build|cmd:protoc-c|protobuf-c-compiler|protobuf-c-compiler|protobuf-c|protobuf-c
build|header:onnx/onnx.proto|libonnx-dev|onnx-devel|onnx-devel|onnx
build|cmd:setsid|util-linux|util-linux|util-linux|util-linux
data|file:${FASHION_MNIST:-/usr/share/datasets/fashion-mnist}/train-images-idx3-ubyte.gz|dataset-fashion-mnist|-|-|-
tests|cmd:c++|g++|gcc-c++|gcc-c++|gcc
tests|pc:gtest|libgtest-dev|gtest-devel|gtest|googletest
tests|-|libmpich-dev|-|-|-
tests|-|mpich|-|-|-
tests|cmd:clang|clang|clang|clang|llvm
tests|header:omp.h|libomp-dev|libomp-devel|libomp-devel|llvm-openmp
tests|cmd:clang-format|clang-format|clang-tools-extra|clang-tools|llvm
tests|py:numpy|python3-numpy|python3-numpy|python3-numpy|py-numpy
tests|py:h5py|python3-h5py|python3-h5py|python3-h5py|py-h5py
tests|py:PIL|python3-pil|python3-pillow|python3-Pillow|py-pillow
tests|py:torch|python3-torch|python3-torch|-|py-torch
tests|py:torchvision|python3-torchvision|python3-torchvision|-|py-torchvision
tests|py:onnx|python3-onnx|python3-onnx|python3-onnx|py-onnx
tests|py:cv2|python3-opencv|python3-opencv|python3-opencv|opencv+python3
tests|cmd:pgrep|procps|procps-ng|procps|procps
tests|cmd:mandoc|mandoc|mandoc|mandoc|mandoc
tests|cmd:slurmctld|slurmctld|slurm-slurmctld|slurm|slurm
tests|cmd:slurmd|slurmd|slurm-slurmd|slurm-node|slurm
tests|cmd:sbatch|slurm-client|slurm|slurm|slurm
tests|cmd:munged|munge|munge|munge|munge
tests|cmd:ip|iproute2|iproute|iproute2|iproute2
tests|cmd:smpicc|libsimgrid-dev|-|-|simgrid
tests|cmd:sndfile-convert|sndfile-programs|libsndfile-utils|libsndfile-progs|libsndfile
tests|cmd:espeak-ng|espeak-ng|espeak-ng|espeak-ng|espeak-ng
figures|file:/usr/share/doc/opencv-doc/examples/data/digits.png|opencv-doc|-|-|-
figures|file:/usr/lib/R/site-library/mlbench/data/DNA.rda|r-cran-mlbench|-|-|-
figures|cmd:espeak-ng|espeak-ng|espeak-ng|espeak-ng|espeak-ng
figures|cmd:flite|flite|flite|-|flite
figures|cmd:sndfile-convert|sndfile-programs|libsndfile-utils|libsndfile-progs|libsndfile
figures|py:scipy|python3-scipy|python3-scipy|python3-scipy|py-scipy
figures|file:/usr/share/klettres|klettres-data|-|-|-
figures|-|asterisk-core-sounds-en-wav|-|-|-
figures|-|asterisk-core-sounds-es-wav|-|-|-
figures|-|asterisk-core-sounds-fr-wav|-|-|-
figures|-|asterisk-core-sounds-it-wav|-|-|-
figures|-|asterisk-core-sounds-ru-wav|-|-|-
figures|own:npm|npm|npm|npm|npm
figures|file:/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb|r-cran-janeaustenr|-|-|-
figures|py:sklearn|python3-sklearn|python3-scikit-learn|python3-scikit-learn|py-scikit-learn
figures|py:PIL|python3-pil|python3-pillow|python3-Pillow|py-pillow
"

groups='build'
[ "${1:-}" = data ] && groups='data'
[ "${1:-}" = tests ] && groups='build data tests'
[ "${1:-}" = figures ] && groups='figures'

# present PROBE: whether a package is there, judged by what it brings.
present() {
    local name=${1#*:}
    case ${1%%:*} in
    -) ;;
    cmd | own) command -v "$name" >/dev/null ;;
    pc) pkg-config --exists "$name" 2>/dev/null ;;
    header) echo "#include <$name>" | cc -E -x c - >/dev/null 2>&1 ;;
    file) [ -e "$name" ] ;;
    py) python3 -c "import $name" 2>/dev/null ;;
    esac
}

# rows of the groups asked for whose package is missing
missing_rows() {
    local group probe debian rest
    while IFS='|' read -r group probe debian rest; do
        [[ -n $group && " $groups " == *" $group "* ]] || continue
        if command -v dpkg-query >/dev/null && ! [[ $probe == own:* ]]; then
            dpkg-query -W -f='${db:Status-Status}\n' "$debian" 2>/dev/null | grep -qx installed && continue
        else
            present "$probe" && continue
        fi
        echo "$group|$probe|$debian|$rest"
    done <<<"$table"
}

# as_root COMMAND...: by sudo where that is needed
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# The column of one package manager, on one line.
column() {
    cut -d'|' -f"$1" <<<"$rows" | tr ' ' '\n' | grep -vx -- - | sort -u | tr '\n' ' '
}

rows=$(missing_rows)
[ -n "$rows" ] || exit 0

if command -v apt-get >/dev/null; then
    read -ra packages <<<"$(column 3)"
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        echo "Packages are missing, you are not root, and there is no sudo. Ask an administrator to run" >&2
        echo "    apt-get install ${packages[*]}" >&2
        exit 1
    fi
    echo "Installing with apt-get, which waits up to 5 minutes while another process installs: ${packages[*]}"
    wait_for_lock=(-o DPkg::Lock::Timeout=300) # a fresh machine may be busy with its unattended upgrades
    as_root apt-get "${wait_for_lock[@]}" update -q || echo "apt-get update failed; going on with the package lists that are here" >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "${wait_for_lock[@]}" install -q -y --no-install-recommends \
        "${packages[@]}"
    exit 0
fi

cat >&2 <<END
This system has no apt-get, so please install by hand what is missing here ($(cut -d'|' -f2 <<<"$rows" | tr '\n' ' ')):
    Fedora:    dnf install $(column 4)
    openSUSE:  zypper install $(column 5)
    Spack:     spack install $(column 6)
MPI often comes as a module: load it first (module load mpi). What your system has no package for:
    Random123  https://github.com/DEShawResearch/random123: headers only, and export CPATH=FOLDER/include
    data       https://github.com/zalandoresearch/fashion-mnist: the four .gz files, and export FASHION_MNIST=FOLDER
Then start this again.
END
exit 1
