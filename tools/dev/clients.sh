# The clients in clients/LANGUAGE. A language takes part by what its folder has: `setup` (optional), an
# executable that installs what the library and its tests need; `test` and `conformance/driver`
# (clients/conformance/README.md).

# install_clients: what the languages need, into .deps.
install_clients() {
  local script
  command -v npm >/dev/null || install_packages tools/debian-packages-npm.txt # clients/javascript
  for script in clients/*/setup; do
    [ -x "$script" ] || continue
    # shellcheck disable=SC2031
    ARKA_DEPS=$ARKA_ROOT/.deps ARKA_PYTHON=$ARKA_ROOT/.venv/bin/python "$script" ||
      die "$script failed"
  done
}

# test_clients [LANGUAGE...] [pytest's ARGS]: every scenario for these languages, or for all.
test_clients() {
  local options=()
  while [ $# -gt 0 ] && [[ $1 != -* ]]; do
    options+=(--language "$1")
    shift
  done
  run_pytest clients clients/conformance "${options[@]}" "$@"
}
