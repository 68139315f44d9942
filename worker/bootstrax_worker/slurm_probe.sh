#!/bin/bash
# Tells a manager what a node sees of its storage: `slurm_probe.sh DIRECTORY`. What is to be checked
# lies in the directory; nothing of a run is in it.
set -u
umask 077
directory=$1
answer=$directory/answer

tell() { printf '%s\n' "$1" >>"$answer.tmp"; }

{
  IFS= read -r python && IFS= read -r package && IFS= read -r setup
} <"$directory/job-environment" || exit 78

: >"$answer.tmp" || exit 78
tell "node ${SLURMD_NODENAME-$(hostname)}"
tell "user $(id -u)"

# In a shell of its own: a script of the site may end its shell.
(
  cd / || exit 78
  # shellcheck disable=SC1090
  [[ -z $setup ]] || source "$setup" || exit 79
  PYTHONPATH=$package "$python" -m bootstrax_worker probe || exit 80
)
tell "worker $?"

# Each line: a number, how it is known, by what, and the path.
while IFS=' ' read -r number how mark path; do
  case $how in
    inode) [[ $(stat -c %i -- "$path" 2>/dev/null) == "$mark" ]] ;;
    token) [[ $(cat -- "$path/from-host" 2>/dev/null) == "$mark" ]] &&
      printf '%s' "$mark" >"$path/from-node.tmp" && mv -- "$path/from-node.tmp" "$path/from-node" ;;
  esac
  tell "path $number $?"
done <"$directory/look"

mv -- "$answer.tmp" "$answer"
