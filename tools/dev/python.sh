# The Python side: a virtual environment in .venv, made with Debian's Python from pinned versions.
# Its pyarrow wheel is also where the server's Arrow and Parquet libraries come from.

# install_python NAME REQUIREMENTS: what REQUIREMENTS lists goes into .venv, once.
install_python() {
  local name=$1 requirements=$2 hash
  hash=$(cat "$requirements" requirements-lock.txt /etc/debian_version 2>/dev/null | sha256sum)
  [ -x .venv/bin/python ] && stamped "$name" "$hash" && return 0
  if [ ! -x .venv/bin/pip ]; then
    say "making .venv with $(/usr/bin/python3 --version)"
    rm -rf .venv
    /usr/bin/python3 -m venv .venv
  fi
  say "installing Python packages from $requirements"
  pip_install -r "$requirements" -c requirements-lock.txt
  stamp "$name" "$hash"
}

# pip_install ARGS: pip within the checkout; what it has to say goes to .deps/pip.log.
pip_install() {
  PIP_CACHE_DIR=$ARKA_ROOT/.deps/pip .venv/bin/python -m pip install --disable-pip-version-check \
    "$@" >.deps/pip.log 2>&1 && return 0
  tail -n 20 .deps/pip.log >&2
  die "pip failed; the whole output is in .deps/pip.log"
}
