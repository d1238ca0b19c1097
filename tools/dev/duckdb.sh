# DuckDB, which answers SQL in the query workers: its shared library as the npm package that Node's
# bindings ship it in, its header from the Go bindings of the same version; into .deps/duckdb.
# A DuckDB of the system comes first (cmake/FindDuckDB.cmake).

DUCKDB_PACKAGE=@duckdb/node-bindings-linux-$(case $(uname -m) in aarch64) echo arm64 ;; *) echo x64 ;; esac)@1.5.5-r.5
DUCKDB_HEADER=github.com/duckdb/duckdb-go-bindings@v0.10505.0

install_duckdb() {
  local folder=.deps/duckdb go module
  stamped duckdb "$DUCKDB_PACKAGE $DUCKDB_HEADER" && [ -f "$folder/libduckdb.so" ] && return 0
  say "fetching DuckDB ($DUCKDB_PACKAGE)"
  command -v npm >/dev/null || install_packages tools/debian-packages-npm.txt
  rm -rf "$folder"
  mkdir -p "$folder"
  (cd "$folder" && npm pack --silent "$DUCKDB_PACKAGE" >/dev/null &&
    tar xzf ./*.tgz --strip-components=1 package/libduckdb.so package/LICENSE && rm ./*.tgz) ||
    die "could not get $DUCKDB_PACKAGE"
  go=$(go_command)
  module=$(GOTOOLCHAIN=local GOFLAGS=-modcacherw GOPATH=$ARKA_ROOT/.deps/gopath \
    GOCACHE=$ARKA_ROOT/.deps/gocache "$go" mod download -json "$DUCKDB_HEADER" |
    sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  cp "$module/include/duckdb.h" "$folder/" || die "could not get the header of DuckDB"
  stamp duckdb "$DUCKDB_PACKAGE $DUCKDB_HEADER"
}
