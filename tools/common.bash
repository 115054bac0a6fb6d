# What run, test, .ci/run and the scripts beside this file share. To be sourced by bash; sets `root`.

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# The reference compiler, or the oldest Clang that will do.
clang_version() {
  local version
  for version in 22 19; do
    if command -v "clang++-$version" >/dev/null; then
      echo "$version"
      return
    fi
  done
  die "neither clang++-22 nor clang++-19 is installed; tools/bootstrap installs one on Debian"
}

# configure PRESET [CMAKE ARGUMENTS...]: into build/PRESET. Quiet unless it fails or warns.
configure() {
  local preset="$1" compiler=() werror=()
  shift
  case "$preset" in
    gcc*) ;;
    *) compiler=("-DCMAKE_CXX_COMPILER=clang++-$(clang_version)") ;;
  esac
  [[ "${CI:-}" == true ]] && werror=(-DASTD_WERROR=ON)
  cmake --log-level=NOTICE -S "$root" --preset "$preset" "${compiler[@]}" "${werror[@]}" "$@" >/dev/null
}

# announce FILE WORDS...: what is going to be built if FILE is not there, for whom no progress will be shown.
announce() {
  if [[ ! -e "$1" && ! -t 2 ]]; then say "${@:2}"; fi
}

# build PRESET [TARGETS...]: progress only for a person who watches.
build() {
  local command=(cmake --build "$root/build/$1")
  shift
  (($# > 0)) && command+=(--target "$@")
  if [[ -t 2 ]]; then
    "${command[@]}" >&2
  else
    "${command[@]}" -- --quiet | sed '/^ninja: no work to do\.$/d' >&2
  fi
}
