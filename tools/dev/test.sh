# Running the tests: unit tests and cheap checks by ctest, the real server by pytest.
# Ends with the one line 'N passed, N failed, N skipped' over all that ran.

REPORTS=build/reports
ROOM_GB=6 # what a whole run takes at most, of data directories, beside what is built before

# run_ctest LABELS [ARGS]: the tests that have one of the labels, a regular expression.
run_ctest() {
  local labels=$1
  shift
  ctest --test-dir build/release -L "$labels" -j "$(jobs)" --output-on-failure --timeout 120 \
    --no-tests=error --output-junit "$ARKA_ROOT/$REPORTS/ctest.xml" "$@"
}

# run_pytest NAME ARGS...: pytest, reporting to NAME.xml.
run_pytest() {
  local name=$1
  shift
  .venv/bin/python -m pytest --junitxml "$REPORTS/$name.xml" "$@"
}

# require_room: servers on a full disk wait for room, as they should, and each test for its time-out.
require_room() {
  local directory free
  for directory in "$ARKA_ROOT" "${TMPDIR:-/tmp}"; do
    free=$(df --output=avail -BG "$directory" | tail -n 1 | tr -dc 0-9)
    [ "$free" -ge "$ROOM_GB" ] || die "$directory has $free GB free; the tests need $ROOM_GB: make room and try again"
  done
}

# run_tests [SET|PATH] [ARGS]: see `./dev help`.
run_tests() {
  local set=${1:-}
  [ $# -gt 0 ] && shift
  case $set in
    slow | all) setup spark ;;
    *) setup ;;
  esac
  [ "$set" = sanitizers ] || build release
  require_room
  rm -rf "$REPORTS" && mkdir -p "$REPORTS"
  local broken=0
  case $set in
    "")
      run_ctest 'fast|simulation' || broken=1
      build_sanitizers_aside
      run_pytest system tests/system tests/crash tests/docs -m "not slow" || broken=1
      test_clients || broken=1
      test_sanitizers || broken=1
      ;;
    fast) run_ctest fast "$@" || broken=1 ;;
    system) run_pytest system tests/system tests/crash tests/docs -m "not slow" "$@" || broken=1 ;;
    clients) test_clients "$@" || broken=1 ;;
    slow) run_pytest slow tests/system -m slow "$@" || broken=1 ;;
    all)
      run_ctest 'fast|simulation' || broken=1
      build_sanitizers_aside
      run_pytest system tests/system tests/crash tests/docs || broken=1
      test_clients || broken=1
      test_sanitizers || broken=1
      ;;
    sanitizers) test_sanitizers || broken=1 ;;
    tests/*) run_pytest system "$set" "$@" || broken=1 ;;
    -*) run_ctest fast "$set" "$@" || broken=1 ;;
    *) die "unknown set of tests '$set': fast, system, clients, slow, sanitizers, all, a path under tests/, or nothing" ;;
  esac
  .venv/bin/python tools/test_summary.py "$REPORTS" "$broken"
}

# run_soak [ARGS]: more load than the server can take (tests/soak/__main__.py).
run_soak() {
  build release
  PYTHONPATH=tests exec .venv/bin/python -m soak "$@"
}

# run_crash [ARGS]: the crash harness by hand (tests/crash/__main__.py).
run_crash() {
  build release
  PYTHONPATH=tests exec .venv/bin/python -m crash "$@"
}
