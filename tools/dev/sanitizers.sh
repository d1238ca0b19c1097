# The unit tests and the simulation under the sanitizers.

# What TSan can see through: the wheel's Arrow is not built for it, so only what enters Arrow for
# nothing but buffers and statuses.
TSAN_LAYERS=(base io testing wal transport)
# Not Arrow's S3 client, and of the log not what has one thread and takes long.
TSAN_FILTER='-*Store*S3*:ObjectStores*:S3*:LogDamageTest.*:LogRepairTest.*:LogFaultTest.Survives*'

# test_sanitizers: address and undefined behaviour over all unit tests and some hundred lives of the
# simulation, then threads over the layers above.
test_sanitizers() {
  local layer broken=0
  build asan
  ctest --test-dir build/asan -L fast -j "$(jobs)" --output-on-failure --timeout 600 \
    --no-tests=error --output-junit "$ARKA_ROOT/$REPORTS/asan.xml" || broken=1
  build/asan/arka_simulate 1-200 || broken=1
  local programs=("${TSAN_LAYERS[@]/#/arka_}")
  build tsan "${programs[@]/%/_test}"
  for layer in "${TSAN_LAYERS[@]}"; do
    TSAN_OPTIONS="suppressions=$ARKA_ROOT/tools/tsan.supp halt_on_error=1" \
      "build/tsan/arka_${layer}_test" --gtest_brief=1 --gtest_filter="$TSAN_FILTER" \
      --gtest_output="xml:$ARKA_ROOT/$REPORTS/tsan-$layer.xml" || broken=1
  done
  return $broken
}
