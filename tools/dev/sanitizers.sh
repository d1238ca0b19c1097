# The unit tests, the fuzz corpora and the simulation under the sanitizers.

# Where untrusted bytes, threads and the log are; the rest is put together from these.
ASAN_LAYERS=(base io testing protocol transport wal iceberg lake ingest query)
ASAN_LIVES=1-100
# What TSan can see through: the wheel's Arrow is not built for it, so only what enters Arrow for
# nothing but buffers and statuses.
TSAN_LAYERS=(base io testing wal transport)
# Not Arrow's S3 client, and of the log not what has one thread and takes long.
TSAN_FILTER='-*Store*S3*:ObjectStores*:S3*:LogDamageTest.*:LogRepairTest.*:LogFaultTest.Survives*'

# The fuzz targets of these layers.
asan_fuzzers() {
  find "${ASAN_LAYERS[@]/#/src/arka/}" -name '*_fuzz.cc' -printf '%f\n' | sed 's/\.cc$//'
}

# build_asan, build_tsan: what test_asan and test_tsan run.
build_asan() {
  local programs=("${ASAN_LAYERS[@]/#/arka_}") fuzzers
  mapfile -t fuzzers < <(asan_fuzzers)
  build asan "${programs[@]/%/_test}" "${fuzzers[@]/#/arka_}" arka_simulate
}

build_tsan() {
  local programs=("${TSAN_LAYERS[@]/#/arka_}")
  build tsan "${programs[@]/%/_test}"
}

# build_sanitizers_aside: begins to build them in the time that other tests leave, most of which wait. What
# becomes of it is for test_sanitizers to say, which builds the rest.
build_sanitizers_aside() {
  mkdir -p .deps
  (renice -n 19 -p "$BASHPID" && build_asan && build_tsan) >.deps/sanitizers.log 2>&1 &
  sanitizers_build=$!
}

# test_sanitizers: address and undefined behaviour, then threads.
test_sanitizers() {
  local broken=0
  [ -z "${sanitizers_build:-}" ] || wait "$sanitizers_build" || true
  test_asan || broken=1
  test_tsan || broken=1
  return $broken
}

test_asan() {
  local broken=0 layers fuzzers
  build_asan || return 1
  mapfile -t fuzzers < <(asan_fuzzers)
  layers=$(IFS='|'; printf '^((%s)\\.|fuzz\\.(%s)$)' "${ASAN_LAYERS[*]}" "${fuzzers[*]}")
  ctest --test-dir build/asan -L fast -R "$layers" -j "$(jobs)" --output-on-failure \
    --timeout 600 --no-tests=error --output-junit "$ARKA_ROOT/$REPORTS/asan.xml" || broken=1
  build/asan/arka_simulate "$ASAN_LIVES" || broken=1
  return $broken
}

test_tsan() {
  local layer broken=0
  build_tsan || return 1
  for layer in "${TSAN_LAYERS[@]}"; do
    TSAN_OPTIONS="suppressions=$ARKA_ROOT/tools/tsan.supp halt_on_error=1" \
      "build/tsan/arka_${layer}_test" --gtest_brief=1 --gtest_filter="$TSAN_FILTER" \
      --gtest_output="xml:$ARKA_ROOT/$REPORTS/tsan-$layer.xml" || broken=1
  done
  return $broken
}
