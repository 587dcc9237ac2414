#!/usr/bin/env bash
# test_packages: launch/install/packages.sh waits for another process that holds dpkg's lock, and goes on without new lists.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# An apt-get that shows how it was called and can't update, a dpkg that has no package, and no need for sudo.
mkdir bin
printf '#!/bin/sh\necho "apt-get $*"\n[ "$3" = install ]\n' >bin/apt-get
printf '#!/bin/sh\nexit 1\n' >bin/dpkg-query
printf '#!/bin/sh\nexec "$@"\n' >bin/sudo
chmod +x bin/*
expect 0 env PATH="$work/bin:$PATH" "$tests/../launch/install/packages.sh"
says 'which waits up to 5 minutes while another process installs'
says 'apt-get -o DPkg::Lock::Timeout=300 update'
says 'apt-get update failed; going on with the package lists that are here'
says 'apt-get -o DPkg::Lock::Timeout=300 install'
says 'build-essential'

# npm counts as there, whoever installed it.
printf '#!/bin/sh\n' >bin/npm
chmod +x bin/npm
expect 0 env PATH="$work/bin:$PATH" "$tests/../launch/install/packages.sh" figures
says 'opencv-doc'
! grep -q npm out || fail 'npm is asked for though it is there'
