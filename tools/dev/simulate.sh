# The whole write path in memory, with all faults mixed, from seeds.

# simulate [--seeds N] [--from S]: lives N lives (default 1000), dealt to all cores.
simulate() {
  local seeds=1000 from=1 shards shard broken=0 lives=()
  while [ $# -gt 0 ]; do
    case $1 in
      --seeds) seeds=$2 ;;
      --from) from=$2 ;;
      *) die "simulate takes --seeds N and --from S, not '$1'" ;;
    esac
    shift 2
  done
  build release arka_simulate
  shards=$(jobs)
  for ((shard = 0; shard < shards; ++shard)); do
    build/release/arka_simulate "$from-$((from + seeds - 1))" "$shard/$shards" &
    lives+=($!)
  done
  for shard in "${lives[@]}"; do wait "$shard" || broken=1; done
  return $broken
}
