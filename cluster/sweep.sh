#!/usr/bin/env bash
# sweep: removes what Open MPI left on this machine when it was killed: shared memory in /dev/shm, and session folders.
#
#   cluster/sweep.sh          mpirun.sh calls it before and after each start
#
# kill -9, QUIT or two Ctrl-C to mpirun leave 4 MB of memory a rank, and mpirun's folder in TMPDIR. Removed is only what
# belongs to this user, is older than a minute, and is held by no process: no process has a segment, or a file of a folder,
# open or mapped, and the mpirun of a folder has ended. In a container processes elsewhere may use the same /dev/shm unseen:
# there nothing is removed.
set -euo pipefail

whole_machine='pid:[4026531836]' # the namespace in which all processes of a machine are seen
[ "$(readlink /proc/self/ns/pid)" = "$whole_machine" ] || exit 0
machine=$(hostname)
host=${machine%%.*}

ours=(-maxdepth 1 -uid "$(id -u)" -mmin +1)
segments=$(find /dev/shm "${ours[@]}" -type f \( -name "vader_segment.$host.*" -o -name "sm_segment.$host.*" \
    -o -name "osc_sm.$host.*" \) 2>/dev/null) || true
folders=
for folder in "${TMPDIR:-/tmp}/ompi.$host.$(id -u)" "${TMPDIR:-/tmp}/ompi.$machine.$(id -u)"; do
    if [ -d "$folder" ] && [ ! -L "$folder" ] && [ -O "$folder" ]; then
        folders+=$(find "$folder" "${ours[@]}" -type d -name 'pid.*' 2>/dev/null)$'\n' || true
    fi
done
[ "$segments$folders" ] || exit 0

# All that processes have mapped or open. A process may end while it is looked at.
held=$({ cat /proc/[0-9]*/maps; find /proc/[0-9]*/fd -type l -printf '%l\n'; } 2>/dev/null | grep -F -e /dev/shm/ -e /ompi.) || true

while read -r segment; do
    if [ "$segment" ] && ! grep -qE "(^| )$segment( \(deleted\))?\$" <<<"$held"; then
        rm -f -- "$segment"
    fi
done <<<"$segments"
while read -r folder; do
    if [ "$folder" ] && [ ! -e "/proc/${folder##*/pid.}" ] && ! grep -qF "$folder/" <<<"$held"; then
        rm -rf -- "$folder"
    fi
done <<<"$folders"
