# An Iceberg REST catalog for the tests: Apache Iceberg's own test server, in .deps/rest_catalog.

REST_CATALOG_SOURCE=tests/testbed/rest_catalog

# install_rest_catalog: fetches its libraries with Maven and compiles the launcher.
install_rest_catalog() {
  local folder=.deps/rest_catalog hash
  hash=$(cat "$REST_CATALOG_SOURCE"/* | sha256sum)
  [ -d "$folder/classes" ] && stamped rest_catalog "$hash" && return 0
  say "fetching the Iceberg REST catalog server"
  rm -rf "$folder"
  mkdir -p "$folder/classes"
  mvn -q -B -f "$REST_CATALOG_SOURCE/pom.xml" -Dmaven.repo.local="$ARKA_ROOT/.deps/m2" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DoutputDirectory="$ARKA_ROOT/$folder/lib" >.deps/rest_catalog.log 2>&1 &&
    javac -nowarn -cp "$folder/lib/*" -d "$folder/classes" \
      "$REST_CATALOG_SOURCE"/CatalogServer.java >>.deps/rest_catalog.log 2>&1 ||
    { tail -n 20 .deps/rest_catalog.log >&2; die "no catalog server; see .deps/rest_catalog.log"; }
  stamp rest_catalog "$hash"
}
