#!/bin/bash
# Carries out one attempt as a job of Slurm: `job.sh DIRECTORY`. The same for every attempt: what is
# to be done, and by which Python, lies in the directory. Outlives what it starts, so that there is a
# word of how it ended whatever happened to it.
set -u
umask 077
directory=$1

fail() {
  echo "$1" >&2
  exit 78
}

# Three lines: Python, the folder of the package, and a script of the site or an empty line.
{
  IFS= read -r python && IFS= read -r package && IFS= read -r setup
} <"$directory/job-environment" || fail "cannot read $directory/job-environment"
if [[ -n $setup ]]; then
  [[ -O $setup || $(stat -c %u -- "$setup") == 0 ]] || fail "$setup belongs to somebody else"
  # shellcheck disable=SC1090
  source "$setup" || fail "$setup failed"
fi
cd / || exit 78

worker=0
stopped=null
forward() { ((worker)) && kill -s "$1" "$worker" 2>/dev/null; }
trap 'forward TERM' TERM
# Slurm says so a minute before it ends a job for its time.
trap 'stopped=\"time_limit\"; forward USR2; (sleep 20; kill -s TERM "$worker") &' USR1
# The manager wants to know what it is doing.
trap 'forward USR2' USR2

PYTHONPATH=$package "$python" -m bootstrax_worker job "$directory" &
worker=$!
while :; do
  wait "$worker"
  code=$?
  kill -0 "$worker" 2>/dev/null || break
done

rm -f -- /dev/shm/*"${directory##*/}"*
# Only of a job that has the attempt: a copy that was refused says nothing.
((code == 75 || code == 76)) && exit "$code"
note=$directory/job-exit.json
printf '{"code": %d, "stopped": %s, "job": "%s", "node": "%s", "restarts": %d}\n' \
  "$code" "$stopped" "${SLURM_JOB_ID-}" "${SLURMD_NODENAME-}" "${SLURM_RESTART_COUNT:-0}" \
  >"$note.$$.tmp" && mv -- "$note.$$.tmp" "$note"
exit "$code"
