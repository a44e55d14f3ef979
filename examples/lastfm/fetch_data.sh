#!/usr/bin/env bash
# Gets public data sets from their official addresses: says licence and citation, resumes a download that broke off, checks it, unpacks it.
#   fetch_data.sh                        lists the data sets
#   fetch_data.sh NAME... [--to FOLDER]  gets them into FOLDER/NAME (FOLDER: data)
# FETCH_DATA_FROM in the environment: a mirror, for example file:///mnt/mirror, that holds the archives by their own names.
# Ends with 0 if all is well, 1 if something could not be fetched, 2 if the command line cannot be understood.
set -euo pipefail

# NAME|ADDRESS|CHECKSUM OF THE ARCHIVE (algorithm:digest, none where none is published)|WHAT LASTFM_STUDY READS, BELOW FOLDER/NAME
datasets=(
  "lastfm-360k|https://zenodo.org/records/6090214/files/lastfm-dataset-360K.tar.gz|md5:635e6ed3fc873aa4ba33aba0ebce02b1|lastfm-dataset-360K/usersha1-artmbid-artname-plays.tsv"
  "hetrec2011-lastfm-2k|https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip|none|user_artists.dat"
  "ml-100k|https://files.grouplens.org/datasets/movielens/ml-100k.zip|md5:0e33842e24a9c977be4e0107933c0723|ml-100k/u.data"
  "ml-1m|https://files.grouplens.org/datasets/movielens/ml-1m.zip|md5:c4d9eecfca2ab87c1945afe126590906|ml-1m/ratings.dat"
  "ml-20m|https://files.grouplens.org/datasets/movielens/ml-20m.zip|md5:cd245b17a1ae2cc31bb14903e1204af3|ml-20m/ratings.csv"
)

terms_of() {
  case "$1" in
    lastfm-360k)
      echo "Last.fm 360K: plays of 360,000 users (570 MB, unpacked 1.6 GB). Non-commercial use, distributed with permission of Last.fm."
      echo "Cite: O. Celma, Music Recommendation and Discovery in the Long Tail, Springer 2010." ;;
    hetrec2011-lastfm-2k)
      echo "HetRec 2011 Last.fm: plays, tags and friends of 1,892 users (3 MB). Non-commercial research use; data (c) Last.fm."
      echo "Cite: I. Cantador, P. Brusilovsky, T. Kuflik, Second workshop on information heterogeneity and fusion in recommender systems, RecSys 2011." ;;
    ml-*)
      echo "MovieLens ${1#ml-}: film ratings. Research use under the terms of the README inside; no commercial use without permission."
      echo "Cite: F. M. Harper, J. A. Konstan, The MovieLens datasets: history and context, ACM TiiS 5(4), 2015." ;;
  esac
}

say() { printf 'fetch_data: %s\n' "$*" >&2; }

field() { # ENTRY NUMBER
  cut -d '|' -f "$2" <<<"$1"
}

need() { # PROGRAM PACKAGE
  command -v "$1" >/dev/null || { say "$1 is missing; on Debian and Ubuntu: apt-get install $2"; return 1; }
}

# download ADDRESS FILE: into FILE.part, from where an earlier one broke off; FILE exists only once it is whole.
download() {
  local code=0 resumed=no
  [ -s "$2.part" ] && resumed=yes
  curl --fail --location --silent --show-error --retry "${FETCH_DATA_RETRIES:-3}" --retry-delay 1 --connect-timeout 20 --speed-limit 1 --speed-time 60 \
    --continue-at - --output "$2.part" "$1" || code=$?
  # 33: no ranges; 36: the part does not fit. A server also answers 416 where the part is already whole; then the checksum decides.
  if [ "$resumed" = yes ] && { [ "$code" = 33 ] || [ "$code" = 36 ]; }; then
    say "the server cannot resume; starting $1 from its beginning"
    rm -f "$2.part"
    code=0
    curl --fail --location --silent --show-error --connect-timeout 20 --output "$2.part" "$1" || code=$?
  elif [ "$resumed" = yes ] && [ "$code" = 22 ]; then
    code=0
  fi
  case "$code" in
    0) ;;
    6 | 7 | 28) say "cannot reach $1: is there a network? (curl ended with $code)"; return 1 ;;
    18 | 56) say "the download of $1 broke off; run this again, it goes on from there (curl ended with $code)"; return 1 ;;
    22 | 37) say "$1 is not there any more; see whether the data set has moved"; return 1 ;;
    23) say "cannot write $2.part: is the disk full? What is there stays; run this again once there is room"; return 1 ;;
    *) say "cannot get $1 (curl ended with $code)"; return 1 ;;
  esac
}

# check FILE CHECKSUM: whether it is what its publisher says.
check() {
  local found
  [ "$2" = none ] && { say "no checksum is published for ${1##*/}; only its archive is tested"; return 0; }
  found=$("${2%%:*}sum" "$1" | cut -d ' ' -f 1)
  [ "$found" = "${2#*:}" ] && return 0
  say "${1##*/} has the ${2%%:*} $found instead of ${2#*:}: it is broken, or not what it should be"
  return 1
}

# unpack ARCHIVE FOLDER: all or nothing.
unpack() {
  local fresh
  fresh=$(mktemp -d "$2.unpacking.XXXXXX") || return 1
  case "$1" in
    *.zip) need unzip unzip && unzip -q "$1" -d "$fresh" ;;
    *) tar -xzf "$1" -C "$fresh" ;;
  esac || { rm -rf "$fresh"; say "cannot unpack $1: broken, or no space left"; return 1; }
  if ! { mkdir -p "$2" && cp -R "$fresh/." "$2/"; }; then
    rm -rf "$fresh"
    say "cannot write into $2: is there no space left?"
    return 1
  fi
  rm -rf "$fresh"
}

fetch() { # ENTRY FOLDER
  local name address checksum reads target archive
  name=$(field "$1" 1) address=$(field "$1" 2) checksum=$(field "$1" 3) reads=$(field "$1" 4)
  target=$2/$name archive=$2/${address##*/}
  [ -z "${FETCH_DATA_FROM:-}" ] || address=${FETCH_DATA_FROM%/}/${address##*/}
  terms_of "$name"
  if [ -s "$target/$reads" ]; then
    say "$target is already there"
  else
    mkdir -p "$2" || return 1
    if [ ! -s "$archive" ]; then
      download "$address" "$archive" || return 1
      # A wrong archive is of no use for going on: the next run starts anew.
      check "$archive.part" "$checksum" || { rm -f "$archive.part"; return 1; }
      mv "$archive.part" "$archive"
    fi
    unpack "$archive" "$target" || { rm -f "$archive"; return 1; }
    [ -s "$target/$reads" ] || { say "$archive does not hold $reads"; return 1; }
    rm -f "$archive"
  fi
  printf 'Now: bash examples/lastfm/run.sh --data %s --out results\n' "$target/$reads"
}

main() {
  local folder=data names=() name entry found failures=0
  while [ $# -gt 0 ]; do
    case "$1" in
      --to) [ $# -ge 2 ] || { say "--to needs a folder"; exit 2; }; folder=$2; shift ;;
      -h | --help) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
      -*) say "$1 is no option (--help lists them)"; exit 2 ;;
      *) names+=("$1") ;;
    esac
    shift
  done
  if [ ${#names[@]} -eq 0 ]; then
    for entry in "${datasets[@]}"; do printf '%s\n' "$(field "$entry" 1)"; terms_of "$(field "$entry" 1)" | sed 's/^/    /'; done
    exit 0
  fi
  for name in "${names[@]}"; do # all names are known before anything is fetched
    found=no
    for entry in "${datasets[@]}"; do [ "$(field "$entry" 1)" = "$name" ] && found=yes; done
    [ "$found" = yes ] || { say "$name is no data set known here; without a name this lists them"; exit 2; }
  done
  need curl curl || exit 1
  for name in "${names[@]}"; do
    for entry in "${datasets[@]}"; do
      if [ "$(field "$entry" 1)" = "$name" ]; then fetch "$entry" "$folder" || failures=$((failures + 1)); fi
    done
  done
  [ "$failures" -eq 0 ]
}

main "$@"
