# Apache Arrow's JDBC driver for Flight SQL, for the tests, in .deps/jdbc.

JDBC_SOURCE=tests/testbed/jdbc

# install_jdbc_driver: fetches it with Maven and compiles the program that the tests drive it by.
install_jdbc_driver() {
  local folder=.deps/jdbc hash
  hash=$(cat "$JDBC_SOURCE"/* | sha256sum)
  [ -d "$folder/classes" ] && stamped jdbc "$hash" && return 0
  say "fetching the JDBC driver for Flight SQL"
  rm -rf "$folder"
  mkdir -p "$folder/classes"
  mvn -q -B -f "$JDBC_SOURCE/pom.xml" -Dmaven.repo.local="$ARKA_ROOT/.deps/m2" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DoutputDirectory="$ARKA_ROOT/$folder/lib" >.deps/jdbc.log 2>&1 &&
    javac -nowarn -cp "$folder/lib/*" -d "$folder/classes" \
      "$JDBC_SOURCE"/JdbcSession.java >>.deps/jdbc.log 2>&1 ||
    { tail -n 20 .deps/jdbc.log >&2; die "no JDBC driver; see .deps/jdbc.log"; }
  stamp jdbc "$hash"
}
