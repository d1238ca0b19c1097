# Formatting, lint and fuzzing: with clang's tools, which an ordinary build does not need.

sources() { find src clients bench tests -name '*.h' -o -name '*.cc' 2>/dev/null || true; }

format_sources() {
  sources | xargs -r clang-format-14 -i
  say "formatted"
}

lint() {
  say "clang-format"
  sources | xargs -r clang-format-14 --dry-run -Werror
  say "layers and style"
  .venv/bin/python tests/layering/check.py
  say "clang-tidy"
  [ -f build/release/compile_commands.json ] || build release arka
  sources | grep '\.cc$' | grep '^src/' | grep -v '_test\.cc$' |
    xargs -r -n 8 -P "$(jobs)" clang-tidy-14 --quiet -p build/release
}

# fuzz [TARGET [SECONDS]]: starts from the committed corpus, collects what it finds under build/.
fuzz() {
  local target=${1:-} seconds=${2:-60} found
  if [ -z "$target" ]; then
    say "fuzz targets:"
    find src -name '*_fuzz.cc' -exec basename {} .cc ';' | sort
    return
  fi
  found=build/fuzz/found/$target
  build fuzz "arka_$target"
  mkdir -p "$found"
  "build/fuzz/arka_$target" -max_total_time="$seconds" -artifact_prefix="$found/" -print_final_stats=1 \
    "$found" "tests/fuzz/corpus/$target"
}
