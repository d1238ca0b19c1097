# The unit tests, the fuzz corpora and the simulation under the sanitizers.

# Where untrusted bytes, threads and the log are; the rest is put together from these.
ASAN_LAYERS=(base io testing protocol transport wal iceberg lake ingest query)
ASAN_LIVES=1-100
# What TSan can see through: the wheel's Arrow is not built for it, so only what enters Arrow for
# nothing but buffers and statuses.
TSAN_LAYERS=(base io testing wal transport)
# Not Arrow's S3 client, and of the log not what has one thread and takes long.
TSAN_FILTER='-*Store*S3*:ObjectStores*:S3*:LogDamageTest.*:LogRepairTest.*:LogFaultTest.Survives*'

# test_sanitizers: address and undefined behaviour, then threads.
test_sanitizers() {
  local broken=0
  test_asan || broken=1
  test_tsan || broken=1
  return $broken
}

test_asan() {
  local broken=0 layers programs fuzzers
  programs=("${ASAN_LAYERS[@]/#/arka_}")
  mapfile -t fuzzers < <(find "${ASAN_LAYERS[@]/#/src/arka/}" -name '*_fuzz.cc' -printf '%f\n' | sed 's/\.cc$//')
  build asan "${programs[@]/%/_test}" "${fuzzers[@]/#/arka_}" arka_simulate || return 1
  layers=$(IFS='|'; printf '^((%s)\\.|fuzz\\.(%s)$)' "${ASAN_LAYERS[*]}" "${fuzzers[*]}")
  ctest --test-dir build/asan -L fast -R "$layers" -j "$(jobs)" --output-on-failure \
    --timeout 600 --no-tests=error --output-junit "$ARKA_ROOT/$REPORTS/asan.xml" || broken=1
  build/asan/arka_simulate "$ASAN_LIVES" || broken=1
  return $broken
}

test_tsan() {
  local layer broken=0
  local programs=("${TSAN_LAYERS[@]/#/arka_}")
  build tsan "${programs[@]/%/_test}" || return 1
  for layer in "${TSAN_LAYERS[@]}"; do
    TSAN_OPTIONS="suppressions=$ARKA_ROOT/tools/tsan.supp halt_on_error=1" \
      "build/tsan/arka_${layer}_test" --gtest_brief=1 --gtest_filter="$TSAN_FILTER" \
      --gtest_output="xml:$ARKA_ROOT/$REPORTS/tsan-$layer.xml" || broken=1
  done
  return $broken
}
