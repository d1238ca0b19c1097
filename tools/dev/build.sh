# Setting up as a whole, and building.

# setup [EXTRA...]: everything the ordinary verbs need; extras are lint, fuzz and spark.
setup() {
  local extra
  mkdir -p .deps/bin
  install_packages tools/debian-packages.txt
  install_python python requirements.txt
  install_go_tools
  install_duckdb
  install_rest_catalog
  install_jdbc_driver
  install_clients
  for extra in "$@"; do
    case $extra in
      lint | fuzz) install_packages "tools/debian-packages-$extra.txt" ;;
      spark)
        install_packages tools/debian-packages-spark.txt
        install_python python-spark requirements-spark.txt
        install_spark_jars
        ;;
      *) die "unknown extra '$extra': lint, fuzz or spark" ;;
    esac
  done
}

# install_spark_jars: what Spark needs to read Iceberg tables from a SQLite catalog, into .deps/jars.
install_spark_jars() {
  local artifact
  for artifact in org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0 \
    org.xerial:sqlite-jdbc:3.54.1.0; do
    stamped "jar-${artifact//:/_}" "$artifact" && continue
    say "fetching $artifact"
    mvn -q -B -Dmaven.repo.local="$ARKA_ROOT/.deps/m2" \
      org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
      -Dartifact="$artifact" -DoutputDirectory="$ARKA_ROOT/.deps/jars"
    stamp "jar-${artifact//:/_}" "$artifact"
  done
}

# build [PRESET] [ninja arguments]: configures at the first time, then builds into build/PRESET.
build() {
  local preset=${1:-release}
  [ $# -gt 0 ] && shift
  # Objects are shared between presets and clones: the paths in them are made relative, and the cache is
  # where ccache has it for everybody.
  export CCACHE_BASEDIR=$ARKA_ROOT CCACHE_NOHASHDIR=1
  if [ ! -f "build/$preset/build.ninja" ]; then
    say "configuring build/$preset"
    cmake --preset "$preset" >".deps/cmake-$preset.log" 2>&1 ||
      { tail -n 30 ".deps/cmake-$preset.log" >&2; die "cmake failed"; }
  fi
  ninja -C "build/$preset" -j "$(jobs)" "$@"
}

# run_bench NAME [ARGS]: the driver bench/NAME/run.py starts and stops everything it needs.
run_bench() {
  local name=${1:-}
  [ -n "$name" ] && [ -f "bench/$name/run.py" ] ||
    die "which benchmark? one of: $(printf '%s ' bench/*/run.py | sed 's#bench/\([^/]*\)/run.py#\1#g')"
  shift
  build release
  .venv/bin/python "bench/$name/run.py" "$@"
}
