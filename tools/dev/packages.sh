# Debian packages, by apt-get: the only thing installed outside the checkout, so the only thing that
# needs root. The lists are tools/debian-packages.txt and, for extras, tools/debian-packages-X.txt.

# listed_packages FILE...: the names in the lists, without comments.
listed_packages() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$@"; }

# missing_packages NAME...: those of them that are not installed.
missing_packages() {
  local installed name
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
    sed -n 's/ installed$//p') || true
  for name in "$@"; do
    grep -qxF "$name" <<<"$installed" || printf '%s\n' "$name"
  done
}

# install_packages FILE...: installs what the lists name and the machine lacks.
install_packages() {
  local names missing
  command -v dpkg-query >/dev/null ||
    die "this is not Debian: install the counterparts of $* by hand, then run cmake --preset release"
  mapfile -t names < <(listed_packages "$@")
  mapfile -t missing < <(missing_packages "${names[@]}")
  [ ${#missing[@]} -eq 0 ] && return 0

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "needs root for Debian packages. Run as root: apt-get install -y ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  local get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0)
  # Package lists that are missing or out of date show as a failure: then, and only then, renew them.
  "${get[@]}" install --no-install-recommends "${missing[@]}" >.deps/apt.log 2>&1 && return 0
  say "renewing the package lists"
  "${get[@]}" update >>.deps/apt.log 2>&1 &&
    "${get[@]}" install --no-install-recommends "${missing[@]}" >>.deps/apt.log 2>&1 && return 0
  tail -n 20 .deps/apt.log >&2
  die "apt-get failed; the whole output is in .deps/apt.log"
}
