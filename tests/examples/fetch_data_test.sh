#!/usr/bin/env bash
# fetch_data_test.sh SCRIPT: examples/lastfm/fetch_data.sh against files and a server on the loopback address; nothing leaves this machine.
set -uo pipefail
shopt -s inherit_errexit

script=$(realpath -- "$1")
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for program in curl unzip zip python3; do
  command -v "$program" >/dev/null || { echo "skipped: $program is missing"; exit "$([ -n "${KINDRED_REQUIRE_REPORT_TOOLS:-}" ] && echo 1 || echo 77)"; }
done
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
export FETCH_DATA_RETRIES=0 no_proxy=127.0.0.1

failures=0
expect() { # WHAT COMMAND...
  if "${@:2}"; then echo "ok: $1"; else echo "FAILED: $1"; failures=$((failures + 1)); fi
}
ends_with() { # CODE COMMAND...: its output goes to out and err
  local code=0
  "${@:2}" >out 2>err || code=$?
  [ "$code" = "$1" ] || { echo "ended with $code"; cat err; return 1; }
}
says() { grep -q -- "$1" err; }
prints() { grep -q -- "$1" out; }

# A mirror: the archives by their own names, made up here; large enough that half of one is not nothing.
mkdir mirror content
printf 'userID\tartistID\tweight\n2\t51\t13883\n' >content/user_artists.dat
head -c 200000 /dev/urandom >content/tags.dat
(cd content && zip -q ../mirror/hetrec2011-lastfm-2k.zip user_artists.dat tags.dat)
mkdir ml-100k && printf '196\t242\t3\t881250949\n' >ml-100k/u.data && zip -q -r mirror/ml-100k.zip ml-100k
digest=$(md5sum mirror/ml-100k.zip | cut -d ' ' -f 1)
sed "s/0e33842e24a9c977be4e0107933c0723/$digest/" "$script" >with_digest.sh
files=file://$work/mirror

expect "lists the data sets" ends_with 0 bash "$script"
expect "with their citations" prints "Cite: O. Celma"
expect "help" ends_with 0 bash "$script" --help
expect "an unknown name is refused before anything is fetched" ends_with 2 bash "$script" ml-100k no-such-data
expect "and named" says "no-such-data is no data set"
expect "an unknown option" ends_with 2 bash "$script" --fast

expect "from file://" ends_with 0 env FETCH_DATA_FROM="$files" bash "$script" hetrec2011-lastfm-2k --to a
expect "unpacked whole" cmp -s content/tags.dat a/hetrec2011-lastfm-2k/tags.dat
expect "says the licence" prints "Non-commercial research use"
expect "says what to do next" prints "run.sh --data a/hetrec2011-lastfm-2k/user_artists.dat"
expect "keeps no archive" test ! -e a/hetrec2011-lastfm-2k.zip
expect "what is there is not fetched again" ends_with 0 env FETCH_DATA_FROM=file:///nowhere bash "$script" hetrec2011-lastfm-2k --to a
expect "a right checksum" ends_with 0 env FETCH_DATA_FROM="$files" bash with_digest.sh ml-100k --to a
expect "its file" cmp -s ml-100k/u.data a/ml-100k/ml-100k/u.data
expect "a wrong checksum" ends_with 1 env FETCH_DATA_FROM="$files" bash "$script" ml-100k --to b
expect "is said" says "instead of 0e33842e24a9c977be4e0107933c0723"
expect "and leaves nothing" test -z "$(ls b)"
expect "one that fails does not stop the next" ends_with 1 env FETCH_DATA_FROM="$files" bash "$script" ml-100k hetrec2011-lastfm-2k --to c
expect "which is there" test -s c/hetrec2011-lastfm-2k/user_artists.dat
expect "an archive that is gone" ends_with 1 env FETCH_DATA_FROM="file://$work/nowhere" bash "$script" ml-1m --to d
expect "is said" says "not there any more"

python3 "$here/loopback_server.py" mirror port &
server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
address=http://127.0.0.1:$(cat port)

expect "from a server" ends_with 0 env FETCH_DATA_FROM="$address" bash with_digest.sh ml-100k --to e
expect "a missing file on a server" ends_with 1 env FETCH_DATA_FROM="$address" bash "$script" ml-20m --to e
expect "is said" says "not there any more"
expect "a download that breaks off" ends_with 1 env FETCH_DATA_FROM="$address/cut" bash "$script" hetrec2011-lastfm-2k --to f
expect "is said" says "broke off; run this again"
expect "what came is kept" test -s f/hetrec2011-lastfm-2k.zip.part
have=$(stat -c %s f/hetrec2011-lastfm-2k.zip.part)
expect "the next run goes on" ends_with 0 env FETCH_DATA_FROM="$address" bash "$script" hetrec2011-lastfm-2k --to f
expect "from where it broke off" grep -q "bytes=$have-" port.log
expect "to the same bytes" cmp -s content/tags.dat f/hetrec2011-lastfm-2k/tags.dat
mkdir g && cp mirror/hetrec2011-lastfm-2k.zip g/hetrec2011-lastfm-2k.zip.part
expect "a download that was whole but not yet unpacked" ends_with 0 env FETCH_DATA_FROM="$address" bash "$script" hetrec2011-lastfm-2k --to g

expect "no space left" ends_with 1 bash -c "trap '' XFSZ; ulimit -f 64; FETCH_DATA_FROM=$address exec bash '$script' hetrec2011-lastfm-2k --to h"
expect "is said" says "is the disk full"
expect "and what is there is used once there is room" ends_with 0 env FETCH_DATA_FROM="$address" bash "$script" hetrec2011-lastfm-2k --to h
expect "to the same bytes" cmp -s content/tags.dat h/hetrec2011-lastfm-2k/tags.dat
kill "$server"
wait "$server" 2>/dev/null
server=
expect "no network" ends_with 1 env FETCH_DATA_FROM="$address" bash "$script" hetrec2011-lastfm-2k --to i
expect "is said" says "is there a network"
printf 'no zip at all' >mirror/hetrec2011-lastfm-2k.zip
expect "an archive that is none" ends_with 1 env FETCH_DATA_FROM="$files" bash "$script" hetrec2011-lastfm-2k --to j
expect "is said" says "cannot unpack"
expect "and leaves nothing" test -z "$(ls j)"

echo "$failures failed"
[ "$failures" -eq 0 ]
