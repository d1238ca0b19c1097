# What the front door says, and how it gives up.

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# stamped NAME HASH: is NAME's last finished installation the one that HASH describes?
stamped() { [ "$(cat ".deps/stamps/$1" 2>/dev/null)" = "$2" ]; }

# stamp NAME HASH: records a finished installation.
stamp() { mkdir -p .deps/stamps && printf '%s\n' "$2" >".deps/stamps/$1"; }

jobs() { printf '%s\n' "${ARKA_JOBS:-$(nproc)}"; }
