#!/usr/bin/env bash
# rules: checks the rules of the house that no compiler knows: who may include or call what, names, sizes, first lines.
#
#   tests/rules.sh [ROOT]      prints a line for each violation, file:line: rule: what to do; exit code 1 if there is any
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:-$here/..}"

# header | files that may include it | what to do elsewhere
includes='
mpi.h              | ^dist/[^/]*\.c$        | only dist/*.c knows MPI; call dist/comm.h
hdf5.h             | ^io/                   | only io knows HDF5; call io/h5/h5.h, io/dataset.h, io/checkpoint/checkpoint.h or io/rowfile.h
cblas.h            | ^core/blas\.c$         | call core/blas.h
yaml.h             | ^launch/job/yaml/      | only the program reads YAML; call launch/job/yaml/job_file.h
jansson.h          | ^(io|launch)/          | core and dist know no files
zlib.h             | ^io/                   | core, dist and launch open no compressed files
png.h              | ^io/png\.c$           | call io/png.h or io/picture.h
jpeglib.h          | ^io/jpeg\.c$          | call io/jpeg.h
jerror.h           | ^io/jpeg\.c$          | call io/jpeg.h
turbojpeg.h        | ^$                    | call io/jpeg.h
onnx.pb-c.h        | ^launch/export/onnx_graph\.c$ | call launch/export/onnx_graph.h
sndfile.h          | ^io/audio/sound\.c$    | call io/audio/sound.h
samplerate.h       | ^io/audio/resampler\.c$ | call io/audio/resampler.h
fftw3.h            | ^io/audio/fourier\.c$  | call io/audio/fourier.h
xxhash.h           | ^(io/|core/params\.c$) | digests are made in io, and of slot names in core/params.c
Random123/*        | ^core/(random|philox)\.c$ | call core/random.h
core/*             | ^(core|dist|io|launch)/| -
dist/*             | ^(dist|launch)/        | core and io know no ranks; let launch bring the two together
io/*               | ^(io|launch)/          | core and dist know no files; let launch bring the two together
io/h5/h5.h            | ^io/                   | only io knows HDF5
launch/*           | ^launch/               | nothing depends on launch
argp.h             | ^launch/([a-z_]*\.[ch]|apply/|bench/|doctor/|export/|import/|inspect/|manual/|plot/|run/) | job, session and train are of the library, which knows no command line
launch/command.h   | ^launch/([a-z_]*\.[ch]|apply/|bench/|doctor/|export/|import/|inspect/|manual/|plot/|run/) | job, session and train are of the library, which knows no commands
launch/run/*       | ^launch/run/           | job, session and train are of the library, which prints nothing
assert.h           | ^$                     | use ls_check of core/check.h
'

# word called | files that may call it | what to do elsewhere
calls='
malloc             | ^core/memory\.c$       | use ls_alloc of core/memory.h
calloc             | ^core/memory\.c$       | use ls_alloc of core/memory.h
realloc            | ^core/memory\.c$       | use ls_realloc of core/memory.h
aligned_alloc      | ^core/memory\.c$       | use ls_alloc of core/memory.h
posix_memalign     | ^core/memory\.c$       | use ls_alloc of core/memory.h
strdup             | ^$                     | use ls_copy_string of core/memory.h
strndup            | ^$                     | use ls_format of core/memory.h
asprintf           | ^$                     | use ls_format of core/memory.h
free               | ^core/memory\.c$       | use ls_free of core/memory.h; what a library allocated: name it in tests/rules.sh
assert             | ^$                     | use ls_check of core/check.h: it stays in, and it ends all ranks
fork               | ^$                     | use a thread: fork after MPI has started can hang
printf             | ^launch/manual/        | use ls_print of core/print.h: a terminal must not obey what names and values hold
fprintf            | ^(core/check|dist/comm|io/rowfile|launch/json|launch/job/job_text|launch/plot/(svg|chart|plot))\.c$ | use ls_print of core/print.h: a terminal must not obey what names and values hold
vfprintf           | ^$                     | use ls_print_list of core/print.h
puts               | ^$                     | use ls_print of core/print.h
system             | ^$                     | use a thread or a library: fork after MPI has started can hang
rand               | ^$                     | use core/random.h: a function of (seed, purpose, step, ...)
'

# Calls that are allowed all the same: file | word | why
exceptions='
dist/shared.c      | free                   | of getline
launch/job/job_read.c  | free                   | of json_dumps
launch/job/job_text.c  | free                   | of json_dumps and open_memstream
launch/train/report.c    | free                   | of json_dumps
'

# Public functions are named ls_<noun>_<verb>. The noun is the name of the file, or of the header that declares the function,
# or the first words of either (h5_error.c: ls_h5_...). These headers have further nouns:
nouns='
core/blas.h           | gemm gemv
core/check.h          | error fatal
core/vector_math.h | math
core/layer.h          | io
core/memory.h         | alloc realloc free format copy_string
core/params.h         | slots
core/spec.h           | option options parse nearest
core/tensor.h         | shape dtype batch
dist/comm_internal.h  | mpi_check mpi_await
io/dataset.h          | split
io/checkpoint/checkpoint.h           | weights
io/checkpoint/checksum.h             | digest
launch/command.h      | fail
launch/session/evaluation.h   | evaluate sums_mean
'

list() { # prints the files that belong to the project
    if [ -e .git ]; then
        git ls-files --cached --others --exclude-standard | while read -r file; do [ ! -f "$file" ] || echo "$file"; done
    else
        find . -type f -not -path './build*' -not -path './runs/*' -printf '%P\n'
    fi | sort
}

files=$(list)
report=$(mktemp)
trap 'rm -f "$report"' EXIT

complain() { # FILE LINE RULE WHAT-TO-DO
    echo "$1:$2: $3: $4" >>"$report"
}

# The top level has these folders and files and no others.
cut -d/ -f1 <<<"$files" | sort -u |
    grep -vxE 'CMakeLists\.txt|core|dist|io|launch|tests|cluster|README\.md|LICENSE|\..*' |
    while read -r name; do
        complain "$name" 1 'top level' 'put it into core, dist, io, launch, tests or cluster'
    done || true

# Scripts are executable. Every file says in its first line (in scripts the one after #!) what it is for.
while read -r file; do
    first=$(head -n 1 "$file")
    line=1
    if [[ $first == '#!'* ]]; then
        [ -x "$file" ] || complain "$file" 1 'executable' "chmod +x $file"
        first=$(sed -n 2p "$file")
        line=2
    fi
    name=$(basename "$file")
    case $file in
    core/*.[ch] | dist/*.[ch] | io/*.[ch] | launch/*.[ch]) [[ $first == "/* ${name%.*}: "?* ]] ||
        complain "$file" 1 'first line' "begin with /* ${name%.*}: and the file's one job" ;;
    *.c | *.h | *.def | *.cc | *.cpp) [[ $first =~ ^(/\*|//)\ .{12} ]] ||
        complain "$file" 1 'first line' 'begin with a comment that says the one job of the file' ;;
    *.sh | *.py | *.yaml | .ci/run | */CMakeLists.txt | *.cmake.in | *.pc.in | *.supp) [[ $first =~ ^(\#|\"\"\")\ ?.{12} ]] ||
        complain "$file" $line 'first line' 'begin with a comment that says the one job of the file' ;;
    esac
done <<<"$files"

# Each entry of a .def table has its file, and that file defines what the table names.
table() { # DEF MACRO FOLDER PREFIX
    [ -e "$1" ] || return 0
    grep -nE "^$2\(" "$1" | sed -E "s/^([0-9]+):$2\(([a-z0-9_]+).*/\1 \2/" | while read -r line name; do
        file=$(grep -m 1 -E "^$3/([a-z_]+/)?$name\.c\$" <<<"$files") || true
        if [ -z "$file" ]; then
            complain "$1" "$line" 'table' "$name has no file $3/$name.c, nor one in a folder of $3"
        elif ! grep -qE "\b$4_$name\b" "$file"; then
            complain "$file" 1 'table' "$1 names $name, so define $4_$name here"
        fi
    done
}
table core/layers.def LS_LAYER core/layers ls_layer
table core/models.def LS_MODEL core/models ls_model
table core/objectives.def LS_OBJECTIVE core/objectives ls_objective
table io/imports.def LS_IMPORT io/import ls_import
table io/transforms.def LS_TRANSFORM io/transforms ls_transform
table launch/commands.def LS_COMMAND launch ls_command

# The other rules look at the code, without its comments and strings.
grep -E '^(core|dist|io|launch)/.*\.(c|h|def)$' <<<"$files" |
    INCLUDES=$includes CALLS=$calls EXCEPTIONS=$exceptions NOUNS=$nouns xargs -r awk '
    function trim(text) { gsub(/^[ \t]+|[ \t]+$/, "", text); return text }
    function complain(rule, what) { print FILENAME ":" FNR ": " rule ": " what }

    # Returns the line without comments and with empty strings; in_comment carries over from line to line.
    function code(line,    out, at, two, c, quote) {
        out = ""
        for (at = 1; at <= length(line); at++) {
            c = substr(line, at, 1)
            two = substr(line, at, 2)
            if (in_comment) {
                if (two == "*/") { in_comment = 0; at++ }
            } else if (quote != "") {
                if (c == "\\") at++
                else if (c == quote) { quote = ""; out = out c }
            } else if (two == "/*") { in_comment = 1; at++ }
            else if (two == "//") break
            else { if (c == "\"" || c == "\x27") quote = c; out = out c }
        }
        return out
    }

    BEGIN {
        n = split(ENVIRON["INCLUDES"], rows, "\n")
        for (i = 1; i <= n; i++) if (split(rows[i], part, "|") >= 3) {
            # The pattern of files may contain | itself: the first column ends at the first |, the last begins at the last.
            header = trim(part[1]); text = rows[i]; sub(/.*\|/, "", text)
            pattern = rows[i]; sub(/^[^|]*\|/, "", pattern); sub(/\|[^|]*$/, "", pattern)
            include_name[++includes] = header
            include_files[includes] = trim(pattern); include_text[includes] = trim(text)
        }
        n = split(ENVIRON["CALLS"], rows, "\n")
        for (i = 1; i <= n; i++) if (split(rows[i], part, "|") >= 3) {
            text = rows[i]; sub(/.*\|/, "", text)
            pattern = rows[i]; sub(/^[^|]*\|/, "", pattern); sub(/\|[^|]*$/, "", pattern)
            call_name[++calls] = trim(part[1])
            call_files[calls] = trim(pattern); call_text[calls] = trim(text)
        }
        n = split(ENVIRON["EXCEPTIONS"], rows, "\n")
        for (i = 1; i <= n; i++) if (split(rows[i], part, "|") == 3)
            excepted[trim(part[1]) "|" trim(part[2])] = 1
        n = split(ENVIRON["NOUNS"], rows, "\n")
        for (i = 1; i <= n; i++) if (split(rows[i], part, "|") == 2) more[trim(part[1])] = trim(part[2])
    }

    FNR == 1 {
        in_comment = 0
        stem = FILENAME; sub(/.*\//, "", stem); sub(/\.[a-z]+$/, "", stem)
        header = FILENAME ~ /\.h$/
    }
    FNR == 601 && FILENAME ~ /\.c$/ { complain("size", "split the file: at most 600 lines, usually under 400") }

    /^[ \t]*#[ \t]*include/ && !in_comment {
        name = $0; sub(/^[ \t]*#[ \t]*include[ \t]*[<"]/, "", name); sub(/[>"].*/, "", name)
        if ($0 ~ /"/ && name !~ /^(core|dist|io|launch)\//)
            complain("include", "write \"folder/" name "\", from the root")
        for (i = 1; i <= includes; i++) {
            prefix = include_name[i]
            hit = sub(/\*$/, "", prefix) ? index(name, prefix) == 1 : name == prefix
            if (hit && FILENAME !~ include_files[i])
                complain("include", name " may not be included here: " include_text[i])
        }
        next
    }

    {
        line = code($0)
        sub(/^__attribute__\(\([a-z]*\)\) /, "", line)
        for (i = 1; i <= calls; i++)
            if (index(line, call_name[i]) && line ~ ("(^|[^A-Za-z0-9_.>])" call_name[i] "[ \t]*\\(") &&
                FILENAME !~ call_files[i] && !((FILENAME "|" call_name[i]) in excepted))
                complain("call", call_name[i] ": " call_text[i])
    }

    # A function begins in the first column: a declaration in a header, or a definition in a .c file.
    line ~ /^[a-zA-Z_].*[ *][a-z_0-9]+\(/ && line !~ /(^| )(static|typedef|return|else|enum)[ (]/ {
        name = line; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
        if (name == "main" || name ~ /^(__|[A-Z]|ls_command_)/) next # commands.def declares its own
        if (header) declared[name] = FILENAME
        else if (line !~ /;[ \t]*$/) {
            if (name in defined && index(defined[name], FILENAME ":") != 1)
                complain("twice", name " is defined at " defined[name] " too: rename one")
            defined[name] = FILENAME ":" FNR
        }
    }

    # Whether the name begins with ls_ and the name of the file, or with its first words.
    function begins(name, file) {
        sub(/.*\//, "", file); sub(/\..*/, "", file)
        do if (index(name "_", "ls_" file "_") == 1) return 1
        while (sub(/_[^_]*$/, "", file))
        return 0
    }

    END {
        for (name in defined) {
            if (!(name in declared)) {
                print defined[name] ": static: no header declares " name ": make it static"
                continue
            }
            good = begins(name, defined[name]) || begins(name, declared[name])
            n = split(more[declared[name]], noun, " ")
            for (i = 1; i <= n; i++) if (index(name "_", "ls_" noun[i] "_") == 1) good = 1
            if (!good)
                print defined[name] ": name: " name ": begin it with ls_ and the name of its file or header, " \
                    "or give that header the noun in tests/rules.sh"
        }
    }' >>"$report"

python3 "$here/rules_of_shape.py" <<<"$files" >>"$report"

sort -t: -k1,1 -k2,2n "$report"
if [ -s "$report" ]; then
    echo "tests/rules.sh: $(wc -l <"$report") violations" >&2
    exit 1
fi
